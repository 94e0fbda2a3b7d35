import { useEffect, useState } from 'preact/hooks'

/**
 * An answer of the server, asked for again and again.
 * @param ask has to be the same function as long as the question is
 * @param isConnected whether the server answers: else there is nothing to ask
 * @param refreshMs from an answer to the next question
 * @returns null before the first answer; of a new question, the answer to the old one
 */
export function useRefreshed<T>(ask: () => Promise<T>, isConnected: boolean, refreshMs: number): T | null {
  const [answer, setAnswer] = useState<T | null>(null)
  useEffect(() => {
    if (!isConnected) return
    let isWanted = true
    let timer = 0
    const refresh = async (): Promise<void> => {
      try {
        const next = await ask()
        if (!isWanted) return
        setAnswer(next)
      } catch {
        // The feed tells what is wrong with the server.
      }
      if (isWanted) timer = window.setTimeout(refresh, refreshMs)
    }
    refresh()
    return () => {
      isWanted = false
      window.clearTimeout(timer)
    }
  }, [ask, isConnected, refreshMs])
  return answer
}
