import { render } from 'preact'
import { PageFrame } from '../shared/page-frame.tsx'
import { applyTheme, chosenTheme } from '../shared/theme.ts'

applyTheme(chosenTheme())
render(<PageFrame page="console">soon</PageFrame>, document.querySelector('#app')!)
