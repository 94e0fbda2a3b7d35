import { describe, expect, test } from 'vitest'
import { ramWarning, wantsRam, withRam } from '../../src/config/ram-storage.ts'
import { configOf } from '../support/config.ts'

const ram = 'hls { enabled on; hls_storage ram; hls_cleanup off; hls_path /srv; hls_key_file_path /srv; }'

describe('what is in memory alone', () => {
  test('is below the directory that there is for it, each virtual host for itself', () => {
    const config = configOf(`vhost a.com { ${ram} } vhost b.com { ${ram} }`)
    expect(wantsRam(config)).toBe(true)
    const { vhosts } = withRam(config, '/shm/weir')
    expect(vhosts['a.com']?.hls).toEqual({
      ...config.vhosts['a.com']?.hls,
      hlsPath: '/shm/weir/vhost-a.com',
      hlsKeyFilePath: '/shm/weir/vhost-a.com',
      hlsCleanup: true,
    })
    expect(vhosts['b.com']?.hls.hlsPath).toBe('/shm/weir/vhost-b.com')
  })

  test('does not take along keys that have a directory of their own', () => {
    const config = configOf(
      `vhost a.com { ${ram.replace('hls_key_file_path /srv', 'hls_key_file_path /keys')} }`,
    )
    expect(withRam(config, '/shm').vhosts['a.com']?.hls.hlsKeyFilePath).toBe('/keys')
  })

  test.each(['../../etc', 'a/b', '..'])('stays there with a virtual host called %s', (name) => {
    const path = withRam(configOf(`vhost ${name} { ${ram} }`), '/shm').vhosts[name]?.hls.hlsPath
    expect(path).toMatch(/^\/shm\/vhost-[^/]+$/)
  })

  test.each([
    'hls { enabled on; }',
    'hls { enabled on; hls_storage disk; }',
    'hls { enabled on; hls_storage both; }',
    'hls { enabled off; hls_storage ram; }',
    'enabled off; hls { enabled on; hls_storage ram; }',
  ])('is nothing with { %s }', (vhost) => {
    const config = configOf(`vhost __defaultVhost__ { ${vhost} }`)
    expect(wantsRam(config)).toBe(false)
    expect(withRam(config, '/shm')).toEqual(config)
  })
})

test('a server without http_server is told that nobody finds what is in memory', () => {
  const vhost = `vhost __defaultVhost__ { ${ram} }`
  expect(ramWarning(configOf(vhost))).toMatch(/http_server/)
  expect(ramWarning(configOf(`http_server { enabled on; } ${vhost}`))).toBeNull()
  expect(ramWarning(configOf())).toBeNull()
})
