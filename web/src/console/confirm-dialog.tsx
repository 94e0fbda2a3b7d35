import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** Something that is asked before it is done. */
export interface Question {
  readonly title: string
  readonly text: ComponentChildren
  /** On the button that does it. */
  readonly action: string
  readonly onConfirm: () => void
}

interface ConfirmDialogProps {
  readonly question: Question
  readonly onClose: () => void
}

/** Asks, over everything else. Escape and Cancel do nothing; the focus returns to where it was. */
export function ConfirmDialog({ question, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const confirm = (): void => {
    dialog.current?.close()
    question.onConfirm()
  }
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={onClose}>
      <h2 id="question">{question.title}</h2>
      <p>{question.text}</p>
      <div class="dialog-buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={confirm}>
          {question.action}
        </button>
      </div>
    </dialog>
  )
}
