// The interaction: a page with a form for people, an answer at once for scripts.
//
// A request with a `login_hint`, or from a program (one that does not ask for HTML), is scripted:
//   alice                                   signs alice in (also the default without a hint)
//   alice;acr=urn:x;amr=pwd,otp;auth_age=60 with these assurance claims, a minute ago
//   deny                                    answers error=access_denied
import { loginPage } from './login-page.mjs'
import { readForm, sendHtml } from './http.mjs'

export async function interact({ provider, people, request, response }) {
  const interaction = await provider.interactionDetails(request, response)
  const finish = (result) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })

  if (interaction.prompt.name === 'consent') return finish(await consent(provider, interaction))
  const hint = interaction.params.login_hint
  if (hint === undefined && isPerson(request)) return askPerson({ interaction, people, request, response, finish })
  return finish(scripted(hint ?? 'alice', interaction.params))
}

function isPerson(request) {
  return (request.headers.accept ?? '').includes('text/html')
}

async function askPerson({ interaction, people, request, response, finish }) {
  if (request.method !== 'POST') return sendHtml(response, 200, loginPage(interaction))
  const form = await readForm(request)
  if (form.get('action') === 'cancel') return finish(denied('the person cancelled'))
  const subject = people.signIn(form.get('username') ?? '', form.get('password') ?? '')
  if (!subject) return sendHtml(response, 401, loginPage(interaction, 'User name or password is wrong.'))
  return finish({ login: login(subject, { acr: wantedAcr(interaction.params) }) })
}

function scripted(hint, params) {
  const [subject, ...settings] = hint.split(';')
  if (subject === 'deny') return denied('scripted denial')
  const { acr = wantedAcr(params), amr = 'pwd', auth_age = '0' } = Object.fromEntries(settings.map((x) => x.split('=')))
  return { login: login(subject, { acr, amr: amr.split(','), age: Number(auth_age) }) }
}

function login(subject, { acr, amr = ['pwd'], age = 0 }) {
  return { accountId: subject, remember: true, acr, amr, ts: Math.floor(Date.now() / 1000) - age }
}

function wantedAcr(params) {
  return params.acr_values?.split(' ')[0] ?? 'urn:jit:pwd'
}

function denied(description) {
  return { error: 'access_denied', error_description: description }
}

// Everybody consents to everything: what is tested is the client, not this provider.
async function consent(provider, { params, prompt, session, grantId }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  if (params.scope) grant.addOIDCScope(params.scope)
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '))
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims)
  return { consent: { grantId: await grant.save() } }
}
