import { CAPABILITIES, type Capability, type Connector, type ToolSession } from './contract.js';
import { ToolError } from './errors.js';

/** What a connector implements, in the contract's order, each with the permission it needs at the tool. */
export function capabilitiesOf(
  connector: Pick<Connector, 'capabilities'>,
): readonly { capability: Capability; permission: string }[] {
  return CAPABILITIES.flatMap((capability) => {
    const declared = connector.capabilities[capability];
    return declared ? [{ capability, permission: declared.permission }] : [];
  });
}

export function supports(connector: Pick<Connector, 'capabilities'>, capability: Capability): boolean {
  return connector.capabilities[capability] !== undefined;
}

/** A session's method, bound to it. Throws `unsupported` when the session doesn't have it: a human task then. */
export function methodOf<C extends Capability>(session: ToolSession, capability: C): NonNullable<ToolSession[C]> {
  const method = session[capability];
  if (typeof method !== 'function') {
    throw new ToolError('unsupported', `This tool can’t do “${capability}” through its API.`, {
      remedy: 'Somebody has to do it by hand at the tool.',
    });
  }
  return method.bind(session) as NonNullable<ToolSession[C]>;
}
