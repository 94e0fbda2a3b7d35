import { render } from 'preact'
import { applyTheme, chosenTheme } from '../shared/theme.ts'
import './console.css'
import { ConsolePage } from './console-page.tsx'

applyTheme(chosenTheme())
render(<ConsolePage />, document.querySelector('#app')!)
