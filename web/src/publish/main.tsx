import { render } from 'preact'
import { applyTheme, chosenTheme } from '../shared/theme.ts'
import { PublishPage } from './publish-page.tsx'

applyTheme(chosenTheme())
render(<PublishPage />, document.querySelector('#app')!)
