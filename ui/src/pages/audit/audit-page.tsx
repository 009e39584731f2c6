import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessAuditEntries } from '../../api/queries.js';
import type { AuditEntry } from '../../api/types.js';
import { DownloadCsv } from '../../parts/download-csv.js';
import { Endless } from '../../parts/endless.js';
import { Page } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { ProofDialog } from './proof-dialog.js';

const route = getRouteApi('/audit');

export function AuditPage(): ReactNode {
  const filters = route.useSearch();
  const query = useInfiniteQuery(endlessAuditEntries(filters));
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Page
      title={text.nav.audit}
      sub={text.audit.sub}
      acts={<DownloadCsv path="/v1/audit-entries.csv" filters={filters} />}
    >
      {isFiltered && (
        <p>
          {text.audit.filtered} <Link to="/audit">{text.audit.unfiltered}</Link>
        </p>
      )}
      <Endless query={query} none={text.audit.none}>
        {(entries) => <Entries entries={entries} />}
      </Endless>
    </Page>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }): ReactNode {
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <>
      <Table
        rows={entries}
        columns={[
          { name: text.audit.what, cell: ({ action }) => action },
          { name: text.audit.who, cell: ({ actorId }) => actorId },
          { name: text.audit.about, cell: (entry) => <About entry={entry} /> },
          { name: text.audit.when, cell: ({ at }) => <Instant at={at} /> },
          {
            name: text.audit.place,
            cell: ({ id, index }) =>
              index === null ? (
                <span className="dim">{text.audit.unsealed}</span>
              ) : (
                <Button size="compact-xs" variant="default" onClick={() => setAsked(id)}>
                  {index} · {text.audit.verify}
                </Button>
              ),
          },
        ]}
      />
      {asked !== null && <ProofDialog entryId={asked} onClose={() => setAsked(null)} />}
    </>
  );
}

/** Characters: what is longer is an id, and told apart by its end. */
const LONGEST_NAME = 20;

function About({ entry: { subjectKind, subjectId, caseId } }: { entry: AuditEntry }): ReactNode {
  return (
    <>
      {subjectId !== null && (
        <Link to="/audit" search={{ subjectId }}>
          {subjectKind} {subjectId.length > LONGEST_NAME ? `…${subjectId.slice(-6)}` : subjectId}
        </Link>
      )}{' '}
      {caseId !== null && (
        <Link to="/cases/$caseId" params={{ caseId }}>
          {text.audit.openCase}
        </Link>
      )}
    </>
  );
}
