/** Light, dark, or as the system has it. */
export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'weir-theme'

export function chosenTheme(): Theme {
  const stored = readStored()
  return themes.find((theme) => theme === stored) ?? 'auto'
}

/** Shows a theme from now on, in this browser. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(key, theme)
  } catch {
    // A browser that stores nothing shows it until the page is left.
  }
}

function readStored(): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
