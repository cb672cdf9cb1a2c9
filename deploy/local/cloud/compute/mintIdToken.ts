/**
 * An ID token for a machine, by the local cloud's own credentials API: what Google's metadata server does out of sight.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken
 */
export async function mintIdToken(
  origin: string,
  email: string,
  audience: string,
  includeEmail: boolean,
): Promise<string> {
  const answer = await fetch(`${origin}/v1/projects/-/serviceAccounts/${email}:generateIdToken`, {
    method: 'POST',
    headers: { authorization: 'Bearer machine', 'content-type': 'application/json' },
    body: JSON.stringify({ audience, includeEmail }),
  });
  if (!answer.ok) throw new Error(`No ID token for the machine: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}
