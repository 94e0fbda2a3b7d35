import fc from 'fast-check'
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfUnsupported,
} from '../../src/media/amf-value.ts'

/** Generators of AMF values. The names include those that an object literal would trip over. */

const text = fc.string({ unit: 'binary', maxLength: 12 })
const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '0', '10', '2', 'a'))
/** AMF3 ends the members with an empty name, so it cannot send one. */
const nonEmptyName = name.filter((value) => value !== '')
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(2 ** 28 - 1, 2 ** 28, -(2 ** 28), -(2 ** 28) - 1),
)
const common = [fc.constant(null), fc.constant(undefined), fc.boolean(), number, text]

/** Values that AMF0 has forms for. */
export const amf0Value = fc.letrec<{ value: AmfValue }>((tie) => {
  const members = fc.array(fc.tuple(name, tie('value')), { maxLength: 5 })
  return {
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      ...common,
      fc.constant(amfUnsupported),
      fc
        .tuple(number, fc.integer({ min: -32768, max: 32767 }))
        .map(([time, zone]) => new AmfDate(time, zone)),
      text.map((value) => new AmfXml(value)),
      fc.array(tie('value'), { maxLength: 5 }),
      members.map((list) => new AmfObject(list)),
      fc
        .tuple(members, nonEmptyName)
        .map(([list, className]) => new AmfObject(list, { className, sealed: [], dynamic: true })),
      members.map((list) => new AmfEcmaArray(list)),
    ),
  }
}).value

/** Values that AMF3 has forms for. */
export const amf3Value = fc.letrec<{ value: AmfValue }>((tie) => {
  const members = fc.array(fc.tuple(nonEmptyName, tie('value')), { maxLength: 5 })
  const items = fc.array(tie('value'), { maxLength: 5 })
  return {
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      ...common,
      number.map((time) => new AmfDate(time)),
      fc
        .tuple(text, fc.constantFrom<AmfXml['kind']>('document', 'e4x'))
        .map(([value, kind]) => new AmfXml(value, kind)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
      items,
      members.map((list) => new AmfObject(list)),
      fc.tuple(members, members, text, fc.boolean()).map(([sealed, others, className, dynamic]) => {
        const traits = { className, sealed: [...new Map(sealed).keys()], dynamic }
        return new AmfObject(dynamic ? [...sealed, ...others] : sealed, traits)
      }),
      fc
        .tuple(
          members.filter((list) => list.length > 0),
          items,
        )
        .map(([list, dense]) => new AmfEcmaArray(list, dense)),
      fc
        .tuple(fc.array(fc.integer()), fc.boolean())
        .map(([list, fixed]) => new AmfVector('int', list, fixed)),
      fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 })).map((list) => new AmfVector('uint', list)),
      fc.array(fc.double()).map((list) => new AmfVector('double', list)),
      fc
        .tuple(items, fc.boolean(), text)
        .map(([list, fixed, className]) => new AmfVector('object', list, fixed, className)),
      fc
        .tuple(fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }), fc.boolean())
        .map(([entries, weakKeys]) => new AmfDictionary(entries, weakKeys)),
    ),
  }
}).value
