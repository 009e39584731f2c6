import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useWatchedCases } from '../../api/live.js';
import { caseQuery } from '../../api/queries.js';
import type { CaseDetails } from '../../api/types.js';
import { Empty, LoadedPage } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page, Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { CaseHead } from './case-head.js';
import { CaseSteps } from './case-steps.js';
import { KnownAtLoss } from './known-at-loss.js';
import { RestoreAccess } from './restore-access.js';

const route = getRouteApi('/cases/$caseId');

export function CasePage(): ReactNode {
  const { caseId } = route.useParams();
  useWatchedCases([caseId]);
  const query = useQuery(caseQuery(caseId));
  return (
    <LoadedPage key={caseId} query={query} title={text.cases.one}>
      {(details) => <ShownCase details={details} />}
    </LoadedPage>
  );
}

function ShownCase({ details }: { details: CaseDetails }): ReactNode {
  const mayAudit = useMay()('audit:read');
  const { id, kind, personId, openedBy, openedAt, parentCaseId, deviceId, facts } = details;
  const reason = facts['reason'] ?? facts['note'];
  return (
    <Page
      title={text.cases.kind[kind]}
      sub={
        <>
          <PersonLink id={personId} /> · {text.cases.openedBy(openedBy)} <Instant at={openedAt} />
        </>
      }
      acts={kind === 'lost_device' && <RestoreAccess details={details} />}
    >
      <CaseHead details={details} />
      {typeof reason === 'string' && <p className="quoted">{reason}</p>}
      {kind === 'lost_device' && <KnownAtLoss facts={facts} deviceId={deviceId} />}
      {parentCaseId !== null && (
        <p>
          <Link to="/cases/$caseId" params={{ caseId: parentCaseId }}>
            {text.cases.parent}
          </Link>
        </p>
      )}
      <Section title={text.cases.steps} count={details.steps.length}>
        {details.steps.length === 0 ? <Empty>{text.cases.noSteps}</Empty> : <CaseSteps details={details} />}
      </Section>
      {mayAudit && (
        <Section title={text.cases.evidence}>
          <p className="row">
            <a className="act-link" href={`/v1/cases/${id}/evidence/page`} target="_blank" rel="noreferrer">
              {text.cases.evidencePage}
            </a>
            <a className="act-link" href={`/v1/cases/${id}/evidence`} download={`case-${id}.json`}>
              {text.cases.evidenceFile}
            </a>
          </p>
          <p className="small dim">{text.cases.evidenceMeans}</p>
        </Section>
      )}
    </Page>
  );
}
