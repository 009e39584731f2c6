import { describe, expect, it } from 'vitest';
import { SCOPES, type Scope } from '../sign-in/actor.js';
import { heldEverywhere, permitFor, type HeldRole } from './permit.js';
import { ROLE_DEFINITIONS, ROLES } from './roles.js';

const held = (role: HeldRole['role'], with_: Partial<HeldRole> = {}): HeldRole => {
  return { role, department: null, location: null, toolId: null, ...with_ };
};
const SALES = { department: 'Sales', location: null, toolId: null };

describe('what somebody may do', () => {
  const permit = (scope: Scope, roles: HeldRole[], scopes: Scope[] = []) => permitFor(scope, { scopes, roles });

  it('is what a role of theirs gives, and nothing else', () => {
    expect(permit('devices:read', [held('viewer')])?.scopes).toEqual(ROLE_DEFINITIONS.viewer.scopes);
    expect(permit('devices:write', [held('viewer')])).toBeNull();
    expect(permit('devices:read', [])).toBeNull();
  });

  it('is everywhere when one role gives it everywhere, else within all the places together', () => {
    const narrowed = [held('helpdesk', SALES), held('helpdesk', { location: 'Oslo' })];
    expect(permit('devices:read', narrowed)?.reach).toEqual([
      SALES,
      { department: null, location: 'Oslo', toolId: null },
    ]);
    const everywhere = permit('devices:read', [...narrowed, held('viewer')]);
    expect(everywhere).not.toBeNull();
    expect(everywhere).not.toHaveProperty('reach');
  });

  it('leaves out what is held in fewer places than what is asked for', () => {
    const roles = [held('viewer'), held('helpdesk', SALES)];
    expect(permit('devices:read', roles)?.scopes).not.toContain('devices:write');
    expect(permit('devices:write', roles)).toMatchObject({
      reach: [SALES],
      scopes: expect.arrayContaining(['devices:write', 'devices:read']),
    });
  });

  it('that may be passed on is what is held everywhere', () => {
    const roles = [held('viewer', SALES), held('connector-admin')];
    const passedOn = heldEverywhere({ scopes: ['roles:read'], roles });
    expect(new Set(passedOn)).toEqual(new Set(['roles:read', ...ROLE_DEFINITIONS['connector-admin'].scopes]));
  });
});

describe('the roles', () => {
  it('leave nothing to nobody: the owner may do everything', () => {
    expect(ROLE_DEFINITIONS.owner.scopes).toEqual(SCOPES);
  });

  it('let the auditor read everything and change nothing', () => {
    const reads = SCOPES.filter((scope) => /:read(-[a-z-]+)?$/.test(scope));
    expect(ROLE_DEFINITIONS.auditor.scopes).toEqual(reads);
  });

  it('let nobody but the owner say who may do what', () => {
    for (const role of ROLES.filter((name) => name !== 'owner')) {
      expect(ROLE_DEFINITIONS[role].scopes).not.toContain('roles:write');
    }
  });
});
