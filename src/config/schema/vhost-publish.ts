/** What publishers may do, and how their messages are taken. */
import { section, since2, since6 } from './declare.ts'
import { autoInteger, flag, integer, word } from './lines.ts'

export const publish = section('How streams are taken from publishers.', since2, {
  policy: word(
    'reject',
    ['reject', 'replace', 'resume'],
    'A second publisher of a stream is refused (reject), takes it over (replace), or may take it over from the same IP address only (resume).',
    { acted: true },
  ),
  firstpktTimeout: integer(
    '20000',
    { min: 100, max: 600_000, unit: 'ms' },
    'How long a publisher may send nothing at first.',
    { ...since6, acted: true, formerly: { 'vhost/publish_1stpkt_timeout': { srs: [2] } } },
  ),
  normalTimeout: integer(
    '5000',
    { min: 100, max: 600_000, unit: 'ms' },
    'How long a publisher may send nothing later on.',
    { ...since6, acted: true, formerly: { 'vhost/publish_normal_timeout': { srs: [2] } } },
  ),
  mr: flag('on', 'Takes the messages of publishers together instead of one by one (SRS: off).', {
    ...since6,
    acted: true,
    formerly: { 'vhost/mr/enabled': { srs: [2] } },
  }),
  mrLatency: autoInteger(
    'auto',
    { min: 0, max: 10_000, unit: 'ms' },
    'How long messages are gathered for that; auto is 2.5 ms for each stream of the worker, 250 ms at most, and nothing for up to four.',
    { ...since6, acted: true, formerly: { 'vhost/mr/latency': { srs: [2] } } },
  ),
  parseSps: flag('on', 'Reads the size of the picture from the sequence header of H.264.', since2),
  tryAnnexbFirst: flag('on', 'Looks for Annex B before AVCC in H.264.', since6),
  kickoffForIdle: integer(
    '0',
    { min: 0, max: 86_400, unit: 's' },
    'After how long without players a publisher is closed; 0: never.',
    since6,
  ),
})
