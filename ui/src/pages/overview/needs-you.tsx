import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  alertsQuery,
  approvalsQuery,
  brakesQuery,
  dutiesQuery,
  lossReportsQuery,
  OFTEN,
  toolsQuery,
} from '../../api/queries.js';
import type { Step } from '../../api/types.js';
import { Empty, Loading } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text, wordFor } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { serverNow } from '../../time/server-clock.js';
import { GiveStep } from '../cases/give-step.js';
import { AlertMessage } from './alert-message.js';

const MOST = 30;

/** Everything that stands still until somebody does something, lost laptops and the oldest deadline first; of each kind as many as fit. */
export function NeedsYou(): ReactNode {
  const may = useMay();
  const mayConfirm = may('lost-devices:report', 'everywhere');
  const [given, setGiven] = useState<Step | null>(null);
  const reports = useQuery({ ...lossReportsQuery({ state: 'waiting', limit: MOST }), enabled: mayConfirm });
  const duties = useQuery({ ...dutiesQuery({ limit: MOST }), enabled: may('cases:read') });
  const brakes = useQuery({ ...brakesQuery({ state: 'standing', limit: MOST }), enabled: may('brakes:read') });
  const approvals = useQuery({
    ...approvalsQuery({ state: 'waiting', limit: MOST }),
    enabled: may('approvals:read'),
  });
  const tools = useQuery({ ...toolsQuery, ...OFTEN, enabled: may('tools:read') });
  const alerts = useQuery({
    ...alertsQuery({ state: 'open', about: 'other', limit: MOST }),
    enabled: may('alerts:read'),
  });
  const all = [reports, duties, brakes, approvals, tools, alerts];
  const error = all.find((query) => query.error)?.error;
  /** An alert about what stands here by itself. */
  const isShown = (kind: string): boolean =>
    (kind === 'tool_paused' && may('tools:read')) ||
    (kind === 'brake_held' && may('brakes:read')) ||
    (kind === 'loss_reported' && mayConfirm);
  const toolName = (id: string): string =>
    tools.data?.items.find((tool) => tool.id === id)?.name ?? text.accounts.someTool;
  const waiting = (approvals.data?.items ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) > serverNow());
  const paused = (tools.data?.items ?? []).filter(({ state }) => state === 'paused');
  const others = (alerts.data?.items ?? []).filter(({ kind }) => !isShown(kind));
  const said = reports.data?.items ?? [];
  const due = duties.data?.items ?? [];
  const standing = brakes.data?.items ?? [];
  const inWords = ({ act, toolId }: Step): string => `${text.cases.act[act]} ${text.cases.at(toolName(toolId))}`;
  const count = said.length + due.length + standing.length + waiting.length + paused.length + others.length;
  const hasMore = all.some(({ data }) => typeof data?.next === 'string');
  return (
    <Section
      title={text.overview.needsYou}
      count={hasMore ? `${count}+` : count}
      acts={due.length > 1 && <Link to="/duties">{text.duties.open}</Link>}
    >
      {error && <ProblemNotice error={error} />}
      {all.some(({ isLoading }) => isLoading) && count === 0 && <Loading />}
      {!error && count === 0 && !hasMore && !all.some(({ isLoading }) => isLoading) && (
        <Empty>{text.overview.nothing}</Empty>
      )}
      <ul className="rows">
        {said.map(({ id, email, assetTag, times, reportedAt }) => (
          <li key={id} className="need" data-row tabIndex={-1}>
            <span className="mark-bad" aria-hidden="true">
              ▲
            </span>
            <span>
              <Link to="/lost-laptop" search={{ report: id }}>
                {text.lossReports.says(email, assetTag)}
              </Link>
              <span className="small dim need-why">
                {text.lossReports.times(times)}; {text.lossReports.nothingCut}
              </span>
            </span>
            <span className="small">
              <Instant at={reportedAt} />
            </span>
          </li>
        ))}
        {due.map((step) => (
          <li key={step.id} className="need" data-row tabIndex={-1}>
            <span className="mark-bad" aria-hidden="true">
              ▲
            </span>
            <span>
              <Link to="/cases/$caseId" params={{ caseId: step.caseId }}>
                {inWords(step)}
              </Link>{' '}
              · <PersonLink id={step.personId} />
              <span className="small dim need-why">{step.reason}</span>
              {step.owner !== null && <span className="small dim need-why">{text.cases.answers(step.owner)}</span>}
              {may('steps:decide') && (
                <Button size="xs" variant="default" onClick={() => setGiven(step)}>
                  {text.cases.give.open}
                </Button>
              )}
            </span>
            <span className="small">
              {step.deadline !== null && (
                <>
                  {text.cases.due} <Instant at={step.deadline} />
                </>
              )}
            </span>
          </li>
        ))}
        {standing.map(({ id, people, kind, since }) => (
          <li key={id} className="need" data-row tabIndex={-1}>
            <span className="mark-bad" aria-hidden="true">
              ‖
            </span>
            <Link to="/approvals">{text.approvals.held(people, wordFor(text.approvals.kind, kind))}</Link>
            <span className="small">
              <Instant at={since} />
            </span>
          </li>
        ))}
        {waiting.map(({ id, summary, expiresAt }) => (
          <li key={id} className="need" data-row tabIndex={-1}>
            <span className="mark-bad" aria-hidden="true">
              ▲
            </span>
            <Link to="/approvals">{summary}</Link>
            <span className="small">
              {text.approvals.endsIn} <Instant at={expiresAt} />
            </span>
          </li>
        ))}
        {paused.map(({ id, name, pauseReason }) => (
          <li key={id} className="need" data-row tabIndex={-1}>
            <span className="mark-bad" aria-hidden="true">
              ✕
            </span>
            <span>
              <Link to="/tools/$toolId" params={{ toolId: id }}>
                {text.overview.paused(name)}
              </Link>
              <span className="small dim need-why">{pauseReason}</span>
            </span>
          </li>
        ))}
        {others.map(({ id, kind, message, severity, raisedAt }) => (
          <li key={id} className="need" data-row tabIndex={-1}>
            <span className={isGrave(severity) ? 'mark-bad' : 'mark-busy'} aria-hidden="true">
              ▲
            </span>
            <span>
              <AlertMessage kind={kind} message={message} />
            </span>
            <span className="small">
              <Instant at={raisedAt} />
            </span>
          </li>
        ))}
      </ul>
      {/* Beside the list: once it is given, its row moves. */}
      {given && <GiveStep stepId={given.id} what={inWords(given)} onClose={() => setGiven(null)} />}
    </Section>
  );
}

function isGrave(severity: string): boolean {
  return severity === 'critical' || severity === 'error';
}
