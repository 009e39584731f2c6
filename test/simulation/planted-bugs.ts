import { admit } from '../../src/cases/engine/admission.js';
import { decideAfterAct, decideAfterFailure } from '../../src/cases/engine/decide.js';
import { planAccess } from '../../src/cases/plan-access.js';
import { planCut } from '../../src/cases/plan-cut.js';
import { planRestoration } from '../../src/lost-devices/plan-restoration.js';
import type { DecisionKind } from '../model/decisions.js';
import { RULES, type Rules } from './rules.js';

export interface PlantedBug {
  kind: DecisionKind;
  what: string;
  /** The invariant that it breaks. */
  breaks: RegExp;
  rules: Rules;
}

/** One small mistake in one decision each. The simulation has to find every one of them. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    kind: 'holds',
    what: 'a hold is ignored before a grant is sent',
    breaks: /^(I10|I4)/,
    rules: {
      ...RULES,
      whyNotSent: (standing) => RULES.whyNotSent(standing && { ...standing, held: false, outdated: false }),
    },
  },
  {
    kind: 'generations',
    what: 'a newer generation is ignored before a grant is sent',
    breaks: /^I4/,
    rules: { ...RULES, whyNotSent: (standing) => RULES.whyNotSent(standing && { ...standing, outdated: false }) },
  },
  {
    kind: 'superseding',
    what: 'a newer generation supersedes revocations, too',
    breaks: /^no revocation is superseded/,
    rules: {
      ...RULES,
      isSuperseded: (step) => RULES.isSuperseded(step.effect === 'revoke' ? { ...step, effect: 'grant' } : step),
    },
  },
  {
    kind: 'read-back',
    what: 'an act that the tool accepted is taken for done, without a read-back',
    breaks: /^(I1|desired = actual|credentials are new)/,
    rules: {
      ...RULES,
      decideAfterAct: (result) =>
        result.outcome === 'done'
          ? { next: { state: 'done', residualUntil: null, unprovable: null } }
          : decideAfterAct(result),
    },
  },
  {
    kind: 'read-back',
    what: 'a create whose answer was lost is sent again without looking',
    breaks: /^I2/,
    rules: {
      ...RULES,
      createLooksFirst: false,
      decideAfterFailure: (step, failure, moment) =>
        decideAfterFailure(step, failure.kind === 'ambiguous' ? { ...failure, kind: 'transient' } : failure, moment),
    },
  },
  {
    kind: 'step transitions',
    what: 'a grant of a worker that died is sent again without looking',
    breaks: /^I2/,
    rules: { ...RULES, createLooksFirst: false, afterDeath: () => 'ready' },
  },
  {
    kind: 'read-back',
    what: 'a create is sent again while the call of a dead worker may still land',
    breaks: /^(I2|I4|desired = actual)/,
    rules: {
      ...RULES,
      decideAfterReadBack: (step, verdict, moment) =>
        RULES.decideAfterReadBack({ ...step, mayStillLand: false }, verdict, moment),
    },
  },
  {
    kind: 'step transitions',
    what: 'a grant of a worker that is only frozen is taken over',
    breaks: /./,
    rules: { ...RULES, afterLapse: (effect) => (effect === 'grant' ? 'confirming' : 'ready') },
  },
  {
    kind: 'last looks',
    what: 'a last look does not wait for a call that may still land',
    breaks: /^I4/,
    rules: { ...RULES, lastLookWaits: () => false },
  },
  {
    kind: 'holds',
    what: 'a restoration lifts the holds of others, too',
    breaks: /^I10/,
    rules: {
      ...RULES,
      planRestoration: (input) => ({
        ...planRestoration(input),
        release: [...input.holds],
        mayGrant: input.status === 'active',
      }),
    },
  },
  {
    kind: 'admission',
    what: 'routine work is admitted to the reserved share',
    breaks: /^admission/,
    rules: {
      ...RULES,
      admit: (load, lane) => {
        const all = load.shared.concurrency + load.reserved.concurrency;
        return admit({ ...load, shared: { ...load.shared, concurrency: all } }, lane);
      },
    },
  },
  {
    kind: 'admission',
    what: 'an emergency is not let into the reserved share',
    breaks: /^I8/,
    rules: { ...RULES, admit: (load) => admit(load, 'standard') },
  },
  {
    kind: 'event order',
    what: 'HR events count in the order in which they arrive',
    breaks: /^events count by their own time/,
    rules: { ...RULES, orderOf: () => 'newer' },
  },
  {
    kind: 'step transitions',
    what: 'a step goes ahead when the first of its needs is met',
    breaks: /./,
    rules: {
      ...RULES,
      afterNeeds: (effect, needs) =>
        needs.some(({ state }) => state === 'done') ? 'go' : RULES.afterNeeds(effect, needs),
    },
  },
  {
    kind: 'fences',
    what: 'a write with an old fence is accepted',
    breaks: /^I5/,
    rules: { ...RULES, isHolder: () => true },
  },
  {
    kind: 'planning',
    what: 'an account is restored with the credentials from before the cut',
    breaks: /^credentials are new after a cut/,
    rules: {
      ...RULES,
      planAccess: (input) => {
        const plans = planAccess(input).filter(({ act }) => act !== 'reset_credentials');
        const keys = new Set(plans.map(({ key }) => key));
        return plans.map((plan) => ({ ...plan, needs: (plan.needs ?? []).filter((key) => keys.has(key)) }));
      },
    },
  },
  {
    kind: 'last looks',
    what: 'an account is taken for somebody’s by its address alone',
    breaks: /^nobody else’s account is cut/,
    rules: {
      ...RULES,
      sortFound: (found, known, person, own) => {
        const sorted = RULES.sortFound(found, known, person, own);
        return { ...sorted, adopted: [...sorted.adopted, ...sorted.doubtful], doubtful: [] };
      },
    },
  },
  {
    kind: 'last looks',
    what: 'the last look of an old loss cuts what was given back since',
    breaks: /^desired = actual/,
    rules: {
      ...RULES,
      decideAfterLook: (act, found, rounds) => RULES.decideAfterLook(act, found, rounds, () => false),
    },
  },
  {
    kind: 'step transitions',
    what: 'a worker keeps the grants that it dropped',
    breaks: /^every case ends/,
    rules: { ...RULES, handsBack: false },
  },
  {
    kind: 'planning',
    what: 'a cut has no last look',
    breaks: /^I[14]/,
    rules: { ...RULES, planCut: (input) => planCut(input).filter(({ act }) => act !== 'final_look') },
  },
  {
    kind: 'generations',
    what: 'a newer decision keeps the generation of the one before',
    breaks: /^(I1|I4|desired = actual)/,
    rules: { ...RULES, generationAfter: (current) => Math.max(current, 1) },
  },
  {
    kind: 'superseding',
    what: 'older grants that were not sent are left standing',
    breaks: /./,
    rules: { ...RULES, isSuperseded: () => false },
  },
  {
    kind: 'step transitions',
    what: 'a grant of a worker that died is put among those that wait for others',
    breaks: /^no transition outside the table/,
    rules: { ...RULES, afterDeath: (effect) => (effect === 'grant' ? 'planned' : 'ready') },
  },
  {
    kind: 'case transitions',
    what: 'a case is closed while a step of it needs somebody',
    breaks: /^a case with unfinished steps is not closed/,
    rules: { ...RULES, isFinished: (steps) => RULES.isFinished(steps.filter(({ state }) => state !== 'needs_human')) },
  },
  {
    kind: 'case transitions',
    what: 'a case stays open because its steps were needed by others',
    breaks: /^every case ends/,
    rules: {
      ...RULES,
      isFinished: (steps) => RULES.isFinished(steps) && steps.every(({ neededBy }) => neededBy.length === 0),
    },
  },
  {
    kind: 'read-back',
    what: 'whatever a read-back sees is taken for shown',
    breaks: /^(I1|desired = actual)/,
    rules: { ...RULES, judgeReadBack: () => ({ seen: 'shown', residualUntil: null, unprovable: null }) },
  },
  {
    kind: 'superseding',
    what: 'a grant that a leave overtook becomes a task, and somebody does it by hand',
    breaks: /^(I1|desired = actual)/,
    rules: { ...RULES, isNobodysTask: () => false },
  },
];
