// Example HR: a directory that tells a portal over SCIM of the people who sign in at Example.
import assert from 'node:assert/strict'

const TOKEN = 'a-token-for-tests-only-0123456789'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

export const user = (userName, more) => ({ schemas: [USER], userName, active: true, ...more })
export const group = (displayName, ids) => ({ schemas: [GROUP], displayName, members: ids.map((value) => ({ value })) })
export const change = (path, value) => ({ schemas: [PATCH], Operations: [{ op: 'replace', path, value }] })
export const bulk = (Operations) => ({ schemas: [BULK], Operations })

// What lies beside the configuration of a portal that it speaks to.
export const FILES = { 'hr.tokens': TOKEN }

// The portal's connection to it. `provisioning` are lines of that, `mapping` are further tables.
export const directory = ({ provisioning = '', mapping = '' }) => `
[[connection]]
id = "example-hr"
tenant = "example"
issuers = ["urn:example:hr"]
domains = ["example.com"]
ceiling = ["role:operator"]
policy = { rule = [{ name = "everybody-of-hr", permit = {} }] }

[connection.provisioning]
same_person = [{ connection = "example", by = "subject" }]
reactivates = true
${provisioning}

[connection.mapping.user_name]
template = ["{userName}"]
${mapping}

[[connection.mapping.attribute]]
attribute = "display_name"
claim = "displayName"

[[connection.mapping.entitlement]]
claim = "groups.display"
table.Operators = ["role:operator"]

[connection.protocol]
label = "Example HR"

[connection.protocol.scim]
token_file = "hr.tokens"
`

// Gives a way for the directory to ask a portal; it demands that the portal does what it says.
export function asks(portal) {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' }
    const response = await fetch(`${portal.url}/scim/v2${path}`, { method, headers, body: body && JSON.stringify(body) })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text && JSON.parse(text)
  }
}
