/** The longest name of a callback. */
const maxLength = 128

/**
 * A name of a function in a page: identifiers with dots between them, as `angular.callbacks._0`. Nothing else may
 * come back as a script: whatever a callback held would be run.
 */
export function isCallback(name: string): boolean {
  return name.length <= maxLength && /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/.test(name)
}

/** A script that hands JSON to a function. U+2028 and U+2029 end lines in the scripts of old browsers. */
export function asScript(callback: string, json: string): string {
  return `${callback}(${json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')})`
}
