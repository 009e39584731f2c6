import type { ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessReturns } from '../../api/device-queries.js';
import type { Return } from '../../api/types.js';
import { Choice } from '../../parts/choice.js';
import { SiteName } from '../../parts/choose-site.js';
import { Endless } from '../../parts/endless.js';
import { Filters } from '../../parts/filters.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { RETURN_FILTERS } from '../../search-params.js';
import { useMay } from '../../shell/caller.js';
import { RETURN_LOOKS } from '../../states/return-moves.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { ReturnActs } from './return-acts.js';

const route = getRouteApi('/returns');

const ONLY = { outstanding: { outstanding: 'true' }, overdue: { overdue: 'true' } } as const;

/** What people have to give back, and how far it is. */
export function ReturnsPage(): ReactNode {
  const mayReadCases = useMay()('cases:read');
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const { only, state } = filters;
  const query = useInfiniteQuery(endlessReturns({ ...(state && { state }), ...(only && ONLY[only]) }));
  const keep = (kept: typeof filters): void =>
    void navigate({ search: (before) => ({ ...before, ...kept }), replace: true });
  return (
    <Page title={text.nav.returns} sub={text.returns.sub}>
      <Filters>
        <Choice
          label={text.returns.stateLabel}
          value={state}
          values={RETURN_FILTERS.state}
          words={text.returns.state}
          onChange={(chosen) => keep({ state: chosen })}
        />
        <Choice
          label={text.returns.onlyLabel}
          value={only}
          values={RETURN_FILTERS.only}
          words={text.returns.only}
          onChange={(chosen) => keep({ only: chosen })}
        />
      </Filters>
      <Endless query={query} none={text.returns.none}>
        {(returns) => (
          <Table
            rows={returns}
            columns={[
              {
                name: text.devices.device,
                cell: ({ deviceId, assetTag }) => (
                  <Link to="/devices/$deviceId" params={{ deviceId }}>
                    {assetTag}
                  </Link>
                ),
              },
              {
                name: text.returns.from,
                cell: ({ personId, caseId }) => (
                  <>
                    <PersonLink id={personId} />
                    {caseId !== null && mayReadCases && (
                      <>
                        {' · '}
                        <Link to="/cases/$caseId" params={{ caseId }}>
                          {text.returns.leave}
                        </Link>
                      </>
                    )}
                  </>
                ),
              },
              { name: text.returns.stateLabel, cell: (one) => <Stands one={one} /> },
              { name: text.returns.askedFor, cell: ({ askedAt }) => <Instant at={askedAt} /> },
              {
                name: text.returns.where,
                cell: ({ siteId, receivedSiteId }) => <Where id={receivedSiteId ?? siteId} />,
              },
              { name: text.returns.acts, cell: (one) => <ReturnActs one={one} /> },
            ]}
          />
        )}
      </Endless>
    </Page>
  );
}

function Where({ id }: { id: string | null }): ReactNode {
  return id === null ? <span className="dim">{text.returns.nowhere}</span> : <SiteName id={id} />;
}

/** How far it is, with what the last act left in words. */
function Stands({ one }: { one: Return }): ReactNode {
  const { state, tracking, condition, wiped, accessories, findings, reason } = one;
  const by = {
    asked: one.askedBy,
    sent: null,
    received: one.receivedBy,
    inspected: one.inspectedBy,
    written_off: one.writtenOffBy,
  };
  const at = {
    asked: null,
    sent: one.sentAt,
    received: one.receivedAt,
    inspected: one.inspectedAt,
    written_off: one.writtenOffAt,
  }[state];
  const facts = [
    condition !== null && text.returns.condition[condition],
    wiped !== null && text.returns.wiped[wiped],
    accessories,
    findings,
    reason,
    state === 'sent' && tracking,
  ].filter(Boolean);
  return (
    <div className="stack-small">
      <span>
        <Mark {...RETURN_LOOKS[state]} word={text.returns.state[state]} />
        <span className="dim small">
          {by[state] !== null && ` ${text.returns.by(by[state])}`}
          {at !== null && (
            <>
              {' '}
              <Instant at={at} />
            </>
          )}
        </span>
      </span>
      {facts.length > 0 && <span className="dim small">{facts.join(' · ')}</span>}
    </div>
  );
}
