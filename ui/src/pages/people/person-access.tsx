import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { toolsQuery } from '../../api/queries.js';
import type { Account } from '../../api/types.js';
import { Residual } from '../../parts/residual.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { accountLooks } from '../../states/account-looks.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** What each account is, as its tool last showed it, beside what it should be. */
export function PersonAccess({ accounts }: { accounts: readonly Account[] }): ReactNode {
  const mayRead = useMay()('tools:read');
  const { data: tools } = useQuery({ ...toolsQuery, enabled: mayRead });
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{text.accounts.tool}</th>
          <th scope="col">{text.accounts.username}</th>
          <th scope="col">{text.accounts.state}</th>
          <th scope="col">{text.accounts.readBack}</th>
          <th scope="col">{text.accounts.sessions}</th>
        </tr>
      </thead>
      <tbody>
        {accounts.map((account) => (
          <tr key={account.id} data-row tabIndex={-1}>
            <th scope="row">{tools?.items.find(({ id }) => id === account.toolId)?.name ?? text.accounts.someTool}</th>
            <td data-label={text.accounts.username}>{account.username}</td>
            <td data-label={text.accounts.state}>
              <Mark {...accountLooks(account)} />
              {account.residualUntil !== null && (
                <>
                  {' '}
                  <Residual until={account.residualUntil} />
                </>
              )}
            </td>
            <td data-label={text.accounts.readBack}>
              {account.observedAt === null ? text.accounts.never : <Instant at={account.observedAt} />}
            </td>
            <td data-label={text.accounts.sessions}>{account.liveSessions ?? text.accounts.notShown}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
