/** The URLs that clients use: one pattern for all. */

/** Where the number goes in a URL. */
const placeholder = '{i}'

/**
 * The URL of one client.
 * @param pattern a URL in which each `{i}` stands for the number
 * @param index the client, from 0 on
 * @param streams how many streams the clients are spread over evenly; null: each client has its own
 */
export function clientUrl(pattern: string, index: number, streams: number | null): string {
  const number = streams === null ? index : index % streams
  return pattern.replaceAll(placeholder, String(number))
}
