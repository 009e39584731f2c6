import { useState, type ReactNode } from 'react';
import { Button, NativeSelect } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { approvalsQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import type { Approval, Loss } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { serverNow } from '../../time/server-clock.js';
import { useNow } from '../../time/use-now.js';
import { DeviceOrder } from './device-order.js';

type Decision = keyof Loss['whyNot'];

/** As who asked for it was answered, or as it is listed. */
type Request = Omit<Approval, 'mayDecide'>;

const DECISIONS = ['lock', 'wipe', 'leave', 'unlock'] as const satisfies readonly Decision[];

/** What becomes of the laptop itself: what is proposed and why, what somebody decided, and how its orders stand. */
export function Containment({ loss }: { loss: Loss }): ReactNode {
  const { decision, commands } = loss;
  return (
    <Section title={text.lostLaptop.decide}>
      <div className="stack">
        {decision ? <Decided decision={decision} /> : <Proposal loss={loss} />}
        <Learned loss={loss} />
        <Decide loss={loss} />
        {commands.length > 0 && (
          <ol className="steps">
            {commands.map((command) => (
              <DeviceOrder key={command.id} caseId={loss.caseId} command={command} />
            ))}
          </ol>
        )}
      </div>
    </Section>
  );
}

function Proposal({ loss: { proposal } }: { loss: Loss }): ReactNode {
  if (!proposal) return <p className="dim">{text.lostLaptop.noRunbook}</p>;
  return (
    <div>
      <p>
        <strong>{text.lostLaptop.proposal[proposal.propose]}.</strong> {proposal.because}
      </p>
      {proposal.facts.length > 0 && <p className="dim small">{proposal.facts.join(' · ')}</p>}
    </div>
  );
}

/** Who gives the order once it is decided: the service, at the machine's device manager, or somebody by hand. */
function Giver({ giver: { tool, only, because } }: { giver: Loss['givers']['lock'] }): ReactNode {
  if (tool === null) {
    return (
      <p>
        {text.lostLaptop.byYou} <span className="dim">{because}</span>
      </p>
    );
  }
  return (
    <p>
      {text.lostLaptop.byService(tool)} {only !== null && <span className="dim">{text.lostLaptop.only(only)}</span>}
    </p>
  );
}

/** What people learn of it after the report: the proposal follows once it is saved, and a legal hold stops a wipe. */
function Learned({ loss: { caseId, ...known } }: { loss: Loss }): ReactNode {
  const may = useMay();
  const { yesNo } = text.lostLaptop;
  const [learned, setLearned] = useState<Partial<Pick<Loss, 'awake' | 'legalHold'>>>({});
  const { awake, legalHold } = { ...known, ...learned };
  const save = useMutation({
    mutationFn: () =>
      answerOf(api.PATCH('/v1/lost-devices/{caseId}', { params: { path: { caseId } }, body: { awake, legalHold } })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['case', 'one', caseId] });
      setLearned({});
    },
  });
  if (!may('lost-devices:report')) return null;
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        if (!save.isPending) save.mutate();
      }}
    >
      <NativeSelect
        label={text.lostLaptop.awake}
        value={awake}
        onChange={({ currentTarget: { value } }) =>
          setLearned({ ...learned, awake: value === 'yes' || value === 'no' ? value : 'unknown' })
        }
        data={(['unknown', 'yes', 'no'] as const).map((value) => ({ value, label: yesNo[value] }))}
      />
      <NativeSelect
        label={text.lostLaptop.legalHold}
        value={legalHold ? 'yes' : 'no'}
        onChange={({ currentTarget: { value } }) => setLearned({ ...learned, legalHold: value === 'yes' })}
        data={(['no', 'yes'] as const).map((value) => ({ value, label: yesNo[value] }))}
      />
      <Button type="submit" variant="default" className="beside-inputs">
        {text.save}
      </Button>
      {save.error && <ProblemNotice error={save.error} ofAct />}
    </form>
  );
}

function Decided({ decision }: { decision: NonNullable<Loss['decision']> }): ReactNode {
  const { containment, reason, proposed, decidedBy, decidedAt } = decision;
  return (
    <div>
      <p>
        <strong>{text.lostLaptop.decided[containment]}</strong>{' '}
        <span className="dim">
          {text.lostLaptop.by(decidedBy)} <Instant at={decidedAt} />
        </span>
      </p>
      <p className="quoted">{reason}</p>
      {proposed !== null && proposed !== containment && <p className="dim small">{text.lostLaptop.otherwise}</p>}
    </div>
  );
}

/** One person locks it, leaves it, or unlocks it once it is back; two wipe it. What can’t be decided now isn’t offered. */
function Decide({ loss }: { loss: Loss }): ReactNode {
  const { caseId, proposal, decision, whyNot, givers } = loss;
  const may = useMay();
  const [asked, setAsked] = useState<Decision | null>(null);
  const [requested, setRequested] = useState<Request | null>(null);
  const approvals = useQuery({
    ...approvalsQuery({ targetId: caseId, limit: 1 }),
    enabled: may('approvals:read'),
  });
  const request = approvals.data?.items[0] ?? requested;
  const isRequested = request?.state === 'waiting' && Date.parse(request.expiresAt) > serverNow();
  const offered = DECISIONS.filter((one) => isOffered(one, loss) && !(one === 'wipe' && isRequested));
  const close = (): void => setAsked(null);
  return (
    <>
      {request && <WipeRequest request={request} />}
      {offered.length === 0 && whyNot.leave !== null && <p className="dim">{whyNot.leave}</p>}
      {offered.length > 0 && may('lost-devices:decide') && (
        <p className="row">
          {offered.map((one) => (
            <Button
              key={one}
              variant={one === proposal?.propose && decision === null ? 'filled' : 'default'}
              onClick={() => setAsked(one)}
            >
              {text.lostLaptop.verb[one]}
            </Button>
          ))}
        </p>
      )}
      {asked !== null && (
        <ActDialog
          title={text.lostLaptop.verbTitle[asked]}
          verb={text.lostLaptop.doIt[asked]}
          danger={asked === 'wipe'}
          ask={{ label: text.lostLaptop.why, required: true }}
          act={(reason) => decide(caseId, asked, reason)}
          onDone={(approval) => {
            setRequested(approval);
            close();
          }}
          onClose={close}
        >
          <p>{text.lostLaptop.means[asked]}</p>
          {asked !== 'leave' && <Giver giver={givers[asked]} />}
        </ActDialog>
      )}
    </>
  );
}

/** What was decided before isn’t decided again, unless it came to nothing. */
function isOffered(one: Decision, { whyNot, decision, commands }: Loss): boolean {
  const newest = commands.at(-1);
  const isStanding = one === decision?.containment && newest?.state !== 'failed';
  const isUnlocked = newest?.kind === 'unlock' && newest.state === 'verified';
  return whyNot[one] === null && !isStanding && !(one === 'unlock' && isUnlocked);
}

/** The request that another person has to approve, of a wipe. */
async function decide(caseId: string, decision: Decision, reason: string): Promise<Request | null> {
  const params = { path: { caseId } };
  if (decision === 'unlock') {
    await answerOf(api.POST('/v1/lost-devices/{caseId}/unlock', { params, body: { reason } }));
    return null;
  }
  const body = { decision, reason };
  return (await answerOf(api.POST('/v1/lost-devices/{caseId}/containment', { params, body }))).approval;
}

/** A wipe that was asked for is a request and nothing else, until another person has approved it. */
function WipeRequest({ request }: { request: Request }): ReactNode {
  const { state, requestedBy, requestedAt, expiresAt, decidedBy } = request;
  const now = useNow(state === 'waiting' ? 10_000 : null);
  if (state === 'approved') return null;
  if (state === 'refused') return <p>⊘ {text.lostLaptop.wipeRefused(decidedBy ?? text.people.somebody)}</p>;
  if (Date.parse(expiresAt) <= Math.max(now, serverNow())) return <p>⊘ {text.lostLaptop.wipeExpired}</p>;
  return (
    <div className="notice">
      <p className="notice-title">▲ {text.lostLaptop.wipeRequested}</p>
      <p>{text.lostLaptop.wipeNotDone}</p>
      <p className="dim">
        {text.approvals.requestedBy(requestedBy)} <Instant at={requestedAt} /> · {text.approvals.endsIn}{' '}
        <Instant at={expiresAt} />
      </p>
      <p>
        <Link to="/approvals">{text.lostLaptop.toApprovals}</Link>
      </p>
    </div>
  );
}
