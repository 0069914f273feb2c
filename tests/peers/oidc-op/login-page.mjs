// The page at which a person signs in.
export function loginPage(interaction, problem) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; background: #eef1f6; color: #1b2430; }
  main { max-width: 22rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: .75rem; box-shadow: 0 1px 4px #0003; }
  h1 { margin: 0 0 .25rem; font-size: 1.4rem; }
  label { display: block; margin-top: 1rem; font-weight: 600; }
  input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #8a94a3; border-radius: .4rem; }
  button { margin-top: 1.5rem; padding: .5rem 1.25rem; font: inherit; border: 1px solid #1f4fa3; border-radius: .4rem; }
  button.main { background: #1f4fa3; color: #fff; }
  button.plain { background: none; color: #1f4fa3; }
  [role=alert] { margin: 1rem 0 0; color: #a3161f; }
</style>
</head>
<body>
<main>
<h1>Sign in</h1>
<p>to continue to ${escape(interaction.params.client_id)}</p>
${problem ? `<p role="alert">${escape(problem)}</p>` : ''}
<form method="post" action="/interaction/${escape(interaction.uid)}">
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<button class="main" name="action" value="sign-in">Sign in</button>
<button class="plain" name="action" value="cancel">Cancel</button>
</form>
</main>
</body>
</html>
`
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
