import { readFileSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from './support/free-port.ts'
import { LivePair } from './support/live-pair.ts'
import { isRunning, openFiles } from './support/processes.ts'
import { type Server, startServer, workersOf } from './support/server.ts'
import { until } from './support/until.ts'

test('the HTTP worker is there when the server accepts clients, and shows in ps and in the status', async () => {
  const server = await startServer({ httpWorkers: 1 })
  const response = await fetch(server.httpUrl('/api/v1/versions'))
  expect(response.status).toBe(200)
  const { version } = await server.status()
  expect(await response.json()).toMatchObject({ code: 0, pid: String(server.master.pid), data: { version } })
  const [worker] = workersOf(await server.status(), 'http')
  expect(readFileSync(`/proc/${worker!.pid}/cmdline`, 'latin1')).toMatch(/^weir: http 1/)
  const { stdout } = await server.weir('ctl', 'status')
  expect(stdout).toMatch(new RegExp(`^http 1 +${worker!.pid} `, 'm'))
})

test('without http_server and http_api there is no HTTP worker', async () => {
  const server = await startServer()
  expect(workersOf(await server.status(), 'http')).toEqual([])
})

test('an HTTP worker that is killed is replaced, and RTMP does not notice', async () => {
  const server = await startServer({ httpWorkers: 1 })
  const live = await LivePair.start(server.url('one'))
  const [worker] = workersOf(await server.status(), 'http')
  process.kill(worker!.pid, 'SIGKILL')
  await until('the HTTP worker to be gone', () => !isRunning(worker!.pid))
  const response = await until('HTTP to be back', () => answer(server, '/api/v1/versions'))
  expect(response.status).toBe(200)
  await server.waitForLog({ msg: 'a worker died and is replaced', worker: 'http 1', level: 'error' })
  await live.goesOn()
})

test('several HTTP workers share their ports', async () => {
  const server = await startServer({ httpWorkers: 2 })
  await until('both workers to have connections', async () => {
    const socket = connect(server.httpPort, '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    const workers = workersOf(await server.status(), 'http')
    return workers.length === 2 && workers.every(({ connections }) => connections > 0)
  })
})

test('a page of another site may ask, until crossdomain is off; what is not there is a 404 of its kind', async () => {
  const server = await startServer({ httpWorkers: 1 })
  for (const path of ['/api/v1/versions', '/live/one.flv']) {
    const preflight = { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'GET' }
    const { status, headers } = await fetch(server.httpUrl(path), { method: 'OPTIONS', headers: preflight })
    expect(status).toBe(204)
    expect(headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect(headers.get('Access-Control-Allow-Methods')).toContain('GET')
    expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
  }
  const api = await fetch(server.httpUrl('/api/v1/nothing'))
  expect([api.status, api.headers.get('Access-Control-Allow-Origin')]).toEqual([404, '*'])
  expect(await api.json()).toMatchObject({ code: 404 })
  const site = await fetch(server.httpUrl('/nothing'))
  expect(site.status).toBe(404)
  expect(site.headers.get('Content-Type')).toMatch(/^text\/plain/)

  const section = `enabled on; listen ${server.httpPort}; crossdomain off;`
  server.configure({ more: `http_server { ${section} } http_api { ${section} }` })
  await server.reload()
  for (const path of ['/api/v1/versions', '/none']) {
    await until('the answers to change', async () => {
      const { headers } = await fetch(server.httpUrl(path))
      return headers.get('Access-Control-Allow-Origin') === null
    })
  }
})

test('reload: HTTP is switched on, moved, and switched off', async () => {
  const server = await startServer()
  const live = await LivePair.start(server.url('one'))
  server.configure({ httpWorkers: 1 })
  await server.reload()
  await until('HTTP to be served', () => answer(server, '/api/v1/versions'))
  const port = await freePort()
  const moved = `enabled on; listen ${port};`
  const metricsPort = await freePort()
  const exporter = `exporter { enabled on; listen 127.0.0.1:${metricsPort}; label here; }`
  server.configure({ more: `http_server { ${moved} } http_api { ${moved} } ${exporter}` })
  await server.reload()
  await until('the new port to be served', () => answerAt(`http://127.0.0.1:${port}/api/v1/versions`))
  await until('the old port to be closed', async () => (await answer(server, '/')) === null)
  const metrics = await until('metrics to be served', () =>
    answerAt(`http://127.0.0.1:${metricsPort}/metrics`),
  )
  expect(await metrics.text()).toContain('srs_clients{label="here"} 2')
  server.configure({})
  await server.reload()
  await server.waitForStatus('the HTTP worker to end', (status) => workersOf(status, 'http').length === 0)
  await live.goesOn()
})

test('an HTTP worker that gets QUIT is replaced', async () => {
  const server = await startServer({ httpWorkers: 1 })
  const [worker] = workersOf(await server.status(), 'http')
  process.kill(worker!.pid, 'SIGQUIT')
  await until('the drained worker to end', () => !isRunning(worker!.pid))
  expect((await fetch(server.httpUrl('/api/v1/versions'))).status).toBe(200)
  expect(server.logs().filter(({ level }) => level === 'error')).toEqual([])
})

test('an HTTP worker writes to a new log file after USR1', async () => {
  const server = await startServer({ httpWorkers: 1 })
  const [worker] = workersOf(await server.status(), 'http')
  const moved = `${server.logFile}.1`
  renameSync(server.logFile, moved)
  server.master.signal('SIGUSR1')
  await until('the new file to be open, and not the old one', () => {
    const files = openFiles(worker!.pid)
    return files.includes(server.logFile) && !files.includes(moved)
  })
})

test('QUIT to the server ends it though HTTP clients keep idle connections', async () => {
  const server = await startServer({ httpWorkers: 1, settings: { grace_final_wait: 60_000 } })
  await (await fetch(server.httpUrl('/api/v1/versions'))).json()
  const [worker] = workersOf(await server.status(), 'http')
  expect(worker!.connections).toBe(1)
  server.master.signal('SIGQUIT')
  await server.hasEnded()
})

function answer(server: Server, path: string): Promise<Response | null> {
  return answerAt(server.httpUrl(path))
}

/** The answer; null when nobody listens or the connection is lost. */
async function answerAt(url: string): Promise<Response | null> {
  try {
    return await fetch(url)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}
