// Loaded into each process of a server under test (node --import): notes its memory in a file of its own.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

const { WEIR_BENCH_MEMORY_DIR: dir, WEIR_BENCH_MEMORY_MS: interval } = process.env

setInterval(() => {
  const { rss, heapUsed, external } = process.memoryUsage()
  const line = JSON.stringify({ at: Date.now(), title: process.title, rss, heapUsed, external })
  appendFileSync(join(dir, `${process.pid}.jsonl`), `${line}\n`)
}, Number(interval)).unref()
