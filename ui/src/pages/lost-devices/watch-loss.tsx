import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useWatchedCases } from '../../api/live.js';
import { caseQuery } from '../../api/queries.js';
import type { CaseDetails } from '../../api/types.js';
import { Loaded } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { useNow } from '../../time/use-now.js';
import { CaseHead } from '../cases/case-head.js';
import { CaseSteps } from '../cases/case-steps.js';
import { KnownAtLoss } from '../cases/known-at-loss.js';
import { RestoreAccess } from '../cases/restore-access.js';
import { lossInWords } from './loss-in-words.js';
import { LossRunbook } from './loss-runbook.js';

/** Access goes, step by step, as the tools show it; then what may still work, and what is next. */
export function WatchLoss({ caseId }: { caseId: string }): ReactNode {
  useWatchedCases([caseId]);
  const query = useQuery(caseQuery(caseId));
  return (
    <Loaded query={query} lines={6}>
      {(details) => (
        <div className="stack">
          <p>
            <PersonLink id={details.personId} /> · {text.cases.openedBy(details.openedBy)}{' '}
            <Instant at={details.openedAt} />
          </p>
          <Verdict details={details} />
          <CaseHead details={details} />
          <CaseSteps details={details} />
          <KnownAtLoss facts={details.facts} deviceId={details.deviceId} />
          <LossRunbook caseId={details.id} />
          <Next details={details} />
        </div>
      )}
    </Loaded>
  );
}

function Verdict({ details }: { details: CaseDetails }): ReactNode {
  const now = useNow(1_000);
  return (
    <p className="verdict" role="status">
      {lossInWords(details, now)}
    </p>
  );
}

function Next({ details }: { details: CaseDetails }): ReactNode {
  const may = useMay();
  return (
    <div className="stack">
      <h2>{text.lostLaptop.next}</h2>
      <p>{text.lostLaptop.staysCut}</p>
      <p className="row">
        <RestoreAccess details={details} />
        <Link to="/cases/$caseId" params={{ caseId: details.id }} className="act-link">
          {text.lostLaptop.openCase}
        </Link>
        {may('audit:read') && (
          <a className="act-link" href={`/v1/cases/${details.id}/evidence/page`} target="_blank" rel="noreferrer">
            {text.cases.evidencePage}
          </a>
        )}
      </p>
    </div>
  );
}
