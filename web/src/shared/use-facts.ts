import { useEffect, useState } from 'preact/hooks'
import { loadFacts, type PageFacts } from './facts.ts'

const retryMs = 2000

/** What the server says of itself; asked for until it answers. */
export function useFacts(): { facts: PageFacts | null; problem: string } {
  const [facts, setFacts] = useState<PageFacts | null>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => {
    let timer = 0
    const ask = async (): Promise<void> => {
      try {
        setFacts(await loadFacts())
        setProblem('')
      } catch {
        setProblem('The server does not answer. Trying again…')
        timer = window.setTimeout(ask, retryMs)
      }
    }
    ask()
    return () => window.clearTimeout(timer)
  }, [])
  return { facts, problem }
}
