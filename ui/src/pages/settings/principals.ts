import { useQuery } from '@tanstack/react-query';
import { identitiesQuery, tokensQuery } from '../../api/settings-queries.js';
import type { ApiToken, SignInIdentity } from '../../api/types.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { isStanding } from './token-state.js';

export interface Principals {
  /** Who is let in. */
  people: readonly SignInIdentity[];
  /** Tokens that open something, as far as they may be read. */
  tokens: readonly ApiToken[];
  /** Somebody or a token by what they are called; their id, where that can't be told. */
  nameOf: (principal: string) => string;
}

/** Who may hold roles. */
export function usePrincipals(): Principals {
  const may = useMayEverywhere();
  const { data: identities } = useQuery({ ...identitiesQuery, enabled: may('roles:read') });
  const { data: tokens } = useQuery({ ...tokensQuery, enabled: may('tokens:read') });
  const all = identities?.items ?? [];
  return {
    people: all.filter(({ withdrawnAt }) => withdrawnAt === null),
    tokens: (tokens?.items ?? []).filter(isStanding),
    nameOf: (principal) => {
      const token = tokens?.items.find(({ id }) => id === principal);
      if (token) return text.settings.roles.token(token.name);
      return all.find((one) => one.principal === principal)?.name ?? principal;
    },
  };
}
