import { z } from 'zod';
import type { CallBack } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { handle, PROTOCOL_VERSION } from './protocol.js';
import { SigningSecrets } from './signing-secrets.js';

const callBack = z.strictObject({
  version: z.literal(PROTOCOL_VERSION),
  type: z.literal('operation.finished'),
  handle,
});

/**
 * The handle of the act that the tool says is over. Throws `auth-broken` for a message without its signature, `invalid`
 * for one that isn't the protocol's.
 */
export function readCallBack({ headers, text }: CallBack, secrets: Readonly<Record<string, string>>): string {
  const header = (name: string) => String(headers[name] ?? '');
  try {
    new SigningSecrets(secrets['secret'] ?? '').verify(
      text,
      Object.fromEntries(['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, header(name)])),
    );
  } catch {
    throw new ToolError(
      'auth-broken',
      'The call-back isn’t signed with this tool’s secret, or more than 5 minutes off.',
    );
  }
  const parsed = callBack.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.handle;
  throw new ToolError(
    'invalid',
    'The call-back isn’t the protocol’s: {"version": 1, "type": "operation.finished", "handle": …}.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
