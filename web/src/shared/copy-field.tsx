import { useEffect, useState } from 'preact/hooks'

/** How long it says that something was copied. */
const noteMs = 2000

interface CopyFieldProps {
  readonly label: string
  readonly text: string
}

/** A line to be copied, with a button that does it. */
export function CopyField({ label, text }: CopyFieldProps) {
  const [note, setNote] = useState('')
  useEffect(() => {
    if (note === '') return
    const timer = window.setTimeout(() => setNote(''), noteMs)
    return () => window.clearTimeout(timer)
  }, [note])
  const copy = async (): Promise<void> => setNote((await copyText(text)) ? 'Copied' : 'Press Ctrl+C')
  return (
    <div class="copy-field">
      <span class="copy-label">{label}</span>
      <code>{text}</code>
      <button type="button" onClick={copy} aria-label={`Copy: ${label}`}>
        {note || 'Copy'}
      </button>
      <span class="visually-hidden" role="status">
        {note && `${label}: ${note}`}
      </span>
    </div>
  )
}

/** Pages that come over plain HTTP from another machine have no clipboard API: there the old way is left. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      // Not allowed: the old way may be.
    }
  }
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'visually-hidden'
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } finally {
    area.remove()
  }
}
