import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessAuditEntries } from '../../api/queries.js';
import type { AuditEntry } from '../../api/types.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { MoreButton } from '../../parts/more-button.js';
import { Page } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { ProofDialog } from './proof-dialog.js';

const route = getRouteApi('/audit');

export function AuditPage(): ReactNode {
  const filters = route.useSearch();
  const query = useInfiniteQuery(endlessAuditEntries(filters));
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Page title={text.nav.audit} sub={text.audit.sub}>
      {isFiltered && (
        <p>
          {text.audit.filtered} <Link to="/audit">{text.audit.unfiltered}</Link>
        </p>
      )}
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          return entries.length === 0 ? <Empty>{text.audit.none}</Empty> : <Entries entries={entries} />;
        }}
      </Loaded>
      <MoreButton query={query} />
    </Page>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }): ReactNode {
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.audit.what}</th>
            <th scope="col">{text.audit.who}</th>
            <th scope="col">{text.audit.about}</th>
            <th scope="col">{text.audit.when}</th>
            <th scope="col">{text.audit.place}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ id, action, actorId, subjectKind, subjectId, caseId, at, index }) => (
            <tr key={id} data-row tabIndex={-1}>
              <th scope="row">{action}</th>
              <td data-label={text.audit.who}>{actorId}</td>
              <td data-label={text.audit.about}>
                {subjectId !== null && (
                  <Link to="/audit" search={{ subjectId }}>
                    {subjectKind} …{subjectId.slice(-6)}
                  </Link>
                )}{' '}
                {caseId !== null && (
                  <Link to="/cases/$caseId" params={{ caseId }}>
                    {text.audit.openCase}
                  </Link>
                )}
              </td>
              <td data-label={text.audit.when}>
                <Instant at={at} />
              </td>
              <td data-label={text.audit.place}>
                {index === null ? (
                  <span className="dim">{text.audit.unsealed}</span>
                ) : (
                  <Button size="compact-xs" variant="default" onClick={() => setAsked(id)}>
                    {index} · {text.audit.verify}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {asked !== null && <ProofDialog entryId={asked} onClose={() => setAsked(null)} />}
    </>
  );
}
