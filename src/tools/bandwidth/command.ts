/** `weir bandwidth`: the command line of the bandwidth check. */
import { Command } from 'commander'
import { type Bandwidth, measureBandwidth } from './measure-bandwidth.ts'

export function bandwidthCommand(): Command {
  return new Command('bandwidth')
    .description('measure the bandwidth to a server with bandcheck { }, in both directions')
    .argument('<url>', 'rtmp://host/app?key=K, with &vhost=V for another virtual host')
    .option('--json', 'as JSON')
    .action(async (url: string, { json }: { json?: boolean }) => {
      const result = await measureBandwidth(url)
      const { down, up } = result
      const text = json ? JSON.stringify(result) : `${line('down', down)}\n${line('up', up)}`
      process.stdout.write(`${text}\n`)
    })
}

function line(name: string, { kbps, bytes, ms }: Bandwidth): string {
  const [rate, size, time] = [(kbps / 1000).toFixed(2), (bytes / 1e6).toFixed(2), (ms / 1000).toFixed(1)]
  return `${name.padEnd(5)}${rate.padStart(8)} Mbit/s  (${size} MB in ${time} s)`
}
