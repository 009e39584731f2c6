import { z } from 'zod';
import { AttemptView, CaseView, StepView } from '../cases/cases-views.js';
import { ReturnView } from '../devices/returns/returns-views.js';

const Instant = z.iso.datetime();

export const PACK_FORMAT = 'quartermaster-evidence-1';

const HrEvent = z.object({
  source: z.string(),
  eventId: z.string(),
  eventType: z.string().nullable(),
  eventTime: Instant.nullable().describe('When it happened, by the HR system, from the signed body.'),
  receivedAt: Instant,
  outcome: z.string(),
});

const Approval = z.object({
  stepId: z.uuid().nullable(),
  what: z.string().describe('The audit log’s word for it.'),
  by: z.string(),
  at: Instant,
  entryId: z.uuid(),
});

const Call = AttemptView.extend({
  intent: z.record(z.string(), z.unknown()).describe('Written down before the call left.'),
});

const PackStep = StepView.extend({ toolName: z.string(), calls: z.array(Call) });

const NotProved = z.object({ stepId: z.uuid().nullable(), toolName: z.string().nullable(), why: z.string() });

const Control = z.object({ framework: z.string(), control: z.string(), asks: z.string(), shownBy: z.string() });

const LogEntry = z.object({
  index: z.int(),
  leaf: z.string().describe('What was sealed, as canonical JSON (RFC 8785): hash these bytes.'),
  hashes: z
    .array(z.string())
    .describe('From the leaf’s neighbour up to the root’s child, in base64 (RFC 6962, 2.1.1).'),
});

/** Everything about a case that an auditor asks for, with the proofs that its audit entries are in the sealed log. */
export const EvidencePack = z.object({
  format: z.literal(PACK_FORMAT),
  madeAt: Instant,
  case: CaseView,
  person: z
    .object({ displayName: z.string(), corporateEmail: z.string() })
    .nullable()
    .describe('Null for whoever may not read people.'),
  hrEvents: z.array(HrEvent),
  decision: z.object({ at: Instant, by: z.string(), secondsAfterHr: z.number().nullable() }),
  approvals: z.array(Approval),
  steps: z.array(PackStep),
  returns: z
    .array(ReturnView)
    .default([])
    .describe('Each device that is to come back; not in packs of older versions.'),
  residuals: z.array(z.object({ stepId: z.uuid(), toolName: z.string(), until: Instant })),
  notProved: z.array(NotProved),
  controls: z.array(Control),
  log: z.object({
    key: z.string().describe('The log’s public key. Compare it with the one that was kept elsewhere.'),
    checkpoint: z.string().describe('A C2SP signed note that all proofs lead to.'),
    entries: z.array(LogEntry),
    unsealed: z.array(z.uuid()).describe('Entries that have no place in the log yet.'),
  }),
});

export type EvidencePack = z.infer<typeof EvidencePack>;
export type PackStep = z.infer<typeof PackStep>;

/** What auditors' frameworks ask for that a case answers. */
export const CONTROLS: EvidencePack['controls'] = [
  {
    framework: 'SOC 2 (TSC 2017)',
    control: 'CC6.2',
    asks: 'Credentials are removed when access is no longer authorised.',
    shownBy: 'The decision, and the read-back of each step at its tool.',
  },
  {
    framework: 'SOC 2 (TSC 2017)',
    control: 'CC6.3',
    asks: 'Access is given, changed and removed by role and on authorised requests.',
    shownBy: 'The HR events and approvals, and who decided by which policy.',
  },
  {
    framework: 'ISO/IEC 27001:2022',
    control: 'A.5.18',
    asks: 'Access rights are provisioned, reviewed, changed and removed by policy.',
    shownBy: 'The steps with their times, and what could not be proved.',
  },
  {
    framework: 'NIST SP 800-53',
    control: 'AC-2',
    asks: 'Accounts are disabled within a stated time when they are no longer needed, and account actions are audited.',
    shownBy: 'The time from the HR event to each confirmation; the sealed audit entries.',
  },
  {
    framework: 'NIST SP 800-53',
    control: 'PS-4',
    asks: 'On termination, access is disabled and authenticators are revoked within a stated time.',
    shownBy: 'The steps that cut, their read-backs, and the residuals.',
  },
];

/** What an auditor must not take for shown, in words. */
export function whatIsNotProved(
  steps: readonly PackStep[],
  log: { unsealed: readonly string[] },
  hrEvents: readonly unknown[],
  returns: EvidencePack['returns'],
): EvidencePack['notProved'] {
  const said = steps.flatMap((step) => reasons(step).map((why) => ({ stepId: step.id, toolName: step.toolName, why })));
  const devices = returns
    .filter(({ outstanding, state }) => outstanding || state === 'written_off')
    .map(({ assetTag, state, reason, writtenOffBy }) =>
      state === 'written_off'
        ? `The device ${assetTag} never came back; ${writtenOffBy ?? 'somebody'} answers for that: ${reason ?? ''}`
        : `The device ${assetTag} isn’t back and inspected yet: ${state}.`,
    );
  const general = [
    ...devices,
    hrEvents.length === 0 && 'No HR event stands behind this case: it was decided here.',
    log.unsealed.length > 0 && `${log.unsealed.length} audit entries aren’t sealed yet; ask again in a second.`,
    'Calls and read-backs are this installation’s own record of what the tools answered. The audit entries are sealed; the calls’ details are not.',
  ].filter((why): why is string => why !== false);
  return [...said, ...general.map((why) => ({ stepId: null, toolName: null, why }))];
}

function reasons(step: PackStep): string[] {
  const lost = step.calls.filter(({ abandonedAt, outcome }) => abandonedAt !== null && outcome === null).length;
  return [
    step.state === 'needs_human' && `Waits for ${step.owner ?? 'somebody'}: ${step.reason ?? ''}`,
    step.state === 'waived' && `Nobody does it; ${step.owner ?? 'somebody'} answers for that: ${step.reason ?? ''}`,
    !['done', 'waived', 'superseded', 'needs_human'].includes(step.state) && `Is ${step.state}: not at its end yet.`,
    step.state === 'done' &&
      step.attestedBy !== null &&
      `Done by hand: ${step.attestedBy} says so, the tool wasn’t asked.`,
    step.calls.some(({ outcome }) => outcome === 'cannot_see') && 'The tool could not show all of it to a read-back.',
    lost > 0 && `${lost} calls were lost with their worker; a read-back looked at what they did.`,
    step.residualUntil !== null && 'Old sessions or tokens may have worked for a while: see the residuals.',
  ].filter((why): why is string => why !== false);
}
