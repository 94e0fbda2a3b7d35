import type { PublisherFacts } from '../../src/ipc/contract.ts'

export function publisherFacts(facts: Partial<PublisherFacts> = {}): PublisherFacts {
  return { ip: '10.0.0.1', tcUrl: 'rtmp://host/live', param: '', route: [], ...facts }
}
