/**
 * An ID token of a service account, as by the credentials API of the local cloud at `origin`.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken
 */
export async function mintIdToken(
  origin: string,
  email: string,
  audience: string,
  includeEmail = true,
): Promise<string> {
  const answer = await fetch(`${origin}/v1/projects/-/serviceAccounts/${email}:generateIdToken`, {
    method: 'POST',
    headers: { authorization: 'Bearer local', 'content-type': 'application/json' },
    body: JSON.stringify({ audience, includeEmail }),
  });
  if (!answer.ok) throw new Error(`No ID token for ${email}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}
