import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { applyTheme, chosenTheme, type Theme, themes } from './theme.ts'

const pages = [
  ['console', 'Console'],
  ['players', 'Player'],
  ['publish', 'Publish'],
] as const

interface PageFrameProps {
  readonly page: (typeof pages)[number][0]
  /** Beside the navigation: how the server is. */
  readonly status?: ComponentChildren
  readonly children: ComponentChildren
}

/** What all pages have around their content. */
export function PageFrame({ page, status, children }: PageFrameProps) {
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to content
      </a>
      <header class="page-header">
        <a class="brand" href="../console/">
          <Waves />
          Weir
        </a>
        <nav aria-label="Pages">
          {pages.map(([path, name]) => (
            <a key={path} href={`../${path}/`} aria-current={path === page ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="page-status">
          {status}
          <ThemeSwitch />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  )
}

function Waves() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b6e7d" />
      <g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round">
        <path d="M4 9.500h9c4.500 0 4.500 6.500 9 6.500h6" />
        <path d="M4 15.500h6c5 0 5 6.500 10 6.500h8" opacity=".75" />
        <path d="M4 21.500h3c4 0 4 4 8 4h2" opacity=".5" />
      </g>
    </svg>
  )
}

const themeNames: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' }

function ThemeSwitch() {
  const [theme, setTheme] = useState(chosenTheme)
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'
  const change = (): void => {
    applyTheme(next)
    setTheme(next)
  }
  return (
    <button
      type="button"
      class="quiet"
      onClick={change}
      title={`Colours: ${themeNames[theme]}. Change to ${themeNames[next]}`}
      aria-label={`Colours: ${themeNames[theme]}. Change to ${themeNames[next]}`}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        {theme === 'auto' && <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />}
        {theme === 'dark' && <circle cx="8" cy="8" r="6" fill="currentColor" />}
      </svg>
    </button>
  )
}
