/** What players get, and how. SRS 1 and 2 have these directives in the vhost itself. */
import { section, since6 } from './declare.ts'
import { autoInteger, decimal, flag, integer, size, word } from './lines.ts'

export const play = section('How streams are sent to players.', since6, {
  mwLatency: autoInteger(
    'auto',
    { min: 0, max: 10_000, unit: 'ms' },
    'How long messages are gathered before they are written together; auto follows the load, up to 350.',
    { ...since6, acted: true, formerly: { 'vhost/mw_latency': { srs: [2] } } },
  ),
  gopCache: flag(
    'on',
    'Keeps the messages since the last key frame, so that a new player has a picture at once.',
    {
      ...since6,
      acted: true,
      formerly: { 'vhost/gop_cache': { srs: [1, 2] } },
    },
  ),
  gopCacheMaxBytes: size(
    '24m',
    { min: '64k', max: '1g' },
    'The most that is kept for that; a stream that sends no key frame for long fills no memory.',
    { acted: true },
  ),
  gopCacheMaxFrames: integer(
    '0',
    { min: 0, max: 1_000_000 },
    'The most frames that are kept for that; 0 for no such limit (SRS: 2500).',
    since6,
  ),
  queueLength: integer(
    '30',
    { min: 1, max: 3600, unit: 's' },
    'How much may wait for a slow player before it loses whole groups of pictures.',
    { ...since6, acted: true, formerly: { 'vhost/queue_length': { srs: [1, 2] } } },
  ),
  timeJitter: word(
    'full',
    ['full', 'zero', 'off'],
    'Corrects timestamps: full starts at 0 and removes jumps, zero only starts at 0, off leaves them alone.',
    { ...since6, acted: true, formerly: { 'vhost/time_jitter': { srs: [1, 2] } } },
  ),
  atc: flag('off', 'Passes the timestamps of the encoder through, so that two packagers cut alike.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/atc': { srs: [1, 2] } },
  }),
  atcAuto: flag('on', 'Turns atc on for streams whose metadata says bravo_atc.', {
    ...since6,
    acted: true,
    formerly: { 'vhost/atc_auto': { srs: [1, 2] } },
  }),
  mixCorrect: flag('off', 'Corrects timestamps that go back because two sources were mixed.', {
    ...since6,
    formerly: { 'vhost/mix_correct': { srs: [2] } },
  }),
  mwMsgs: integer('0', { min: 0, max: 128 }, 'How many messages are gathered at least.', since6),
  sendMinInterval: decimal(
    '0',
    { min: 0, max: 10_000, unit: 'ms' },
    'The least time between two messages to a player.',
    { ...since6, formerly: { 'vhost/send_min_interval': { srs: [2] } } },
  ),
  reduceSequenceHeader: flag('off', 'Leaves out sequence headers that repeat the one before.', {
    ...since6,
    formerly: { 'vhost/reduce_sequence_header': { srs: [2] } },
  }),
})
