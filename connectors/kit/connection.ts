import type { Connector, ToolConnection } from './contract.js';
import { ToolError } from './errors.js';

/**
 * What every connector does first in `open`: the settings are parsed, each secret is there, and none of them goes to
 * another host than the one it was saved for. Returns the parsed settings. Throws `invalid` with a plain sentence.
 */
export function checkConnection<S>(
  connector: Pick<Connector<S>, 'id' | 'settings' | 'secrets' | 'destination'>,
  connection: ToolConnection<S>,
): S {
  const parsed = connector.settings.safeParse(connection.settings);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ToolError('invalid', `The settings are wrong: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  for (const name of Object.keys(connector.secrets)) {
    if (!connection.secrets[name]) throw new ToolError('auth-broken', `The secret “${name}” is not set.`);
  }
  const destination = connector.destination?.(parsed.data);
  if (connection.secretsSavedFor !== undefined && connection.secretsSavedFor !== destination) {
    throw new ToolError(
      'auth-broken',
      `The secret was saved for ${connection.secretsSavedFor} and is not sent to ${destination}.`,
      { remedy: 'Give the secret again for the new host.' },
    );
  }
  return parsed.data;
}
