/** Recording. */
import { type About, section, since1, since6 } from './declare.ts'
import { decimal, flag, list, path, word } from './lines.ts'

/** Acted on; with the versions of SRS that have it. */
const acted1: About = { ...since1, acted: true }
const acted6: About = { ...since6, acted: true }

export const dvr = section('Records streams into files.', since1, {
  enabled: flag('off', 'Whether streams are recorded.', acted1),
  dvrApply: list('all', 'all, or streams as app/stream', 'Which streams are recorded.', acted6),
  dvrPlan: word(
    'session',
    ['session', 'segment', 'append'],
    'One file for each publish, files of a given length, or one file that grows over all publishes.',
    acted1,
  ),
  dvrPath: path(
    './objs/nginx/html/[app]/[stream].[timestamp].flv',
    'The file, .flv or .mp4, with variables: [vhost] [app] [stream] [2006] [01] [02] [15] [04] [05] [999] [timestamp].',
    acted1,
  ),
  dvrDuration: decimal(
    '30',
    { min: 1, max: 864_000, unit: 's' },
    'The length of a file of the plan segment.',
    acted1,
  ),
  dvrWaitKeyframe: flag('on', 'Lets files begin, and those of the plan segment end, at a key frame.', acted1),
  timeJitter: word('full', ['full', 'zero', 'off'], 'As `time_jitter` of play, for the file.', acted1),
})
