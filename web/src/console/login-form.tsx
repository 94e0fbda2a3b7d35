import { useState } from 'preact/hooks'
import { basicAuthorization, bearerAuthorization } from './credentials.ts'

interface LoginFormProps {
  /** Whether what was tried last was not right. */
  readonly isWrong: boolean
  readonly onLogin: (authorization: string) => void
}

/** Asks for what the API wants: a name and a password, or a token. */
export function LoginForm({ isWrong, onLogin }: LoginFormProps) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [token, setToken] = useState('')
  return (
    <form
      class="login"
      onSubmit={(event) => {
        event.preventDefault()
        onLogin(token === '' ? basicAuthorization(username, password) : bearerAuthorization(token))
      }}
    >
      <h1>Log in</h1>
      <p class="hint">The API of this server asks for a password.</p>
      {isWrong && (
        <p class="notice" role="alert">
          That is not right.
        </p>
      )}
      <label>
        User name
        <input
          type="text"
          autocomplete="username"
          value={username}
          onInput={({ currentTarget }) => setUsername(currentTarget.value)}
        />
      </label>
      <label>
        Password
        <input
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={({ currentTarget }) => setPassword(currentTarget.value)}
        />
      </label>
      <details>
        <summary>A token instead</summary>
        <label>
          Bearer token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
      </details>
      <button type="submit" class="primary">
        Log in
      </button>
    </form>
  )
}
