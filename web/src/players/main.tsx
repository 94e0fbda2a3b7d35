import { render } from 'preact'
import { applyTheme, chosenTheme } from '../shared/theme.ts'
import { PlayersPage } from './players-page.tsx'

applyTheme(chosenTheme())
render(<PlayersPage />, document.querySelector('#app')!)
