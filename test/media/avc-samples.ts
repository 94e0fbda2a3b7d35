/** Payloads of sequence headers (avcC) that x264 made, and what ffprobe says of them. */
export interface AvcSample {
  readonly name: string
  readonly config: string
  readonly profile: string
  readonly level: string
  readonly width: number
  readonly height: number
  readonly frameRate: number
}

export const avcSamples: AvcSample[] = [
  {
    name: 'Baseline',
    config: '0142c00dffe100186742c00dd90141fb011000000300100000030320f142a48001000568cb83cb20',
    profile: 'Constrained Baseline',
    level: '1.3',
    width: 320,
    height: 240,
    frameRate: 25,
  },
  {
    name: 'Main, cropped at both sides',
    config: '014d4015ffe10019674d4015eca0d8ff256022000003000200000300641e2c5b2c01000568ebe3cb20',
    profile: 'Main',
    level: '2.1',
    width: 426,
    height: 238,
    frameRate: 25,
  },
  {
    name: 'Baseline, upright',
    config: '0142c01fffe100186742c01fda0260227e5c0440000003004000000c83c60ca801000468ce0fc8',
    profile: 'Constrained Baseline',
    level: '3.1',
    width: 608,
    height: 1080,
    frameRate: 25,
  },
  {
    name: 'High, cropped in width',
    config:
      '01640020ffe1001b67640020acd94056061e6f011000000300100000030320f183196001000668ebe3cb22c0fdf8f800',
    profile: 'High',
    level: '3.2',
    width: 1366,
    height: 768,
    frameRate: 25,
  },
  {
    name: '1080 lines, which are cropped from 1088, at 29.97 frames',
    config: '0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8',
    profile: 'Constrained Baseline',
    level: '4',
    width: 1920,
    height: 1080,
    frameRate: 30000 / 1001,
  },
  {
    name: 'High, interlaced',
    config: '0164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000668fba3cb22c0fdf8f800',
    profile: 'High',
    level: '3',
    width: 720,
    height: 576,
    frameRate: 25,
  },
  {
    name: 'High 4:2:2',
    config:
      '017a001effe1001b677a001ebcd940a42fe227c044000003000400000300c83c58b65801000668ebe3cb22c0fef8f800',
    profile: 'High 4:2:2',
    level: '3',
    width: 642,
    height: 362,
    frameRate: 25,
  },
  {
    name: 'High 4:4:4, of odd sizes',
    config:
      '01f4000dffe1001c67f4000d919b282a10f0842180880000030008000003019078a14cb001000668ebe3c44844fff8f800',
    profile: 'High 4:4:4 Predictive',
    level: '1.3',
    width: 321,
    height: 241,
    frameRate: 25,
  },
  {
    name: 'High 10',
    config: '016e000cffe1001a676e000ca6cd941419f9f011000003000100000300320f14299601000668ebe3cb22c0fdfafa00',
    profile: 'High 10',
    level: '1.2',
    width: 320,
    height: 180,
    frameRate: 25,
  },
  {
    name: 'monochrome',
    config:
      '0164000dffe1001b6764000df365054678f8bc05b2000003000200000300641e28532c01000668ebe3cb22c0fcf8f800',
    profile: 'High',
    level: '1.3',
    width: 322,
    height: 182,
    frameRate: 25,
  },
  {
    name: 'aspect ratio, colours and chroma location before the timing',
    config:
      '0164000dffe1001f6764000dacd941519e226c39b808080d280000030008000003019078a14cb001000768ebe3cb3002c0fdf8f800',
    profile: 'High',
    level: '1.3',
    width: 322,
    height: 182,
    frameRate: 25,
  },
  {
    name: 'aspect ratio written out, overscan, cropped at all sides',
    config:
      '0164000dffe100236764000dacd941519d344ffc001c0017dc04040694000003000400000300c83c50a65801000768ebe3cb3002c0fdf8f800',
    profile: 'High',
    level: '1.3',
    width: 330,
    height: 184,
    frameRate: 25,
  },
]
