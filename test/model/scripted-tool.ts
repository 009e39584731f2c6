import { z } from 'zod';
import type { ActResult, Connector, CreatedAccount, ToolSession } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { EFFECT_OF, type StepAct } from '../../src/cases/step-states.js';
import { ToolWorld, type WantedAct } from './tool-world.js';

/** What the next act meets. */
export type Fate =
  | 'fine'
  /** Nothing was done, and the tool says so. */
  | 'fails'
  /** Done, and the answer is lost. */
  | 'answer-lost'
  /** Answered with success, and nothing was done. */
  | 'pretends'
  /** The caller stops in the moment of sending: `land()` or `goOn()` say what becomes of it. */
  | 'stops';

export interface StoppedCall {
  act: StepAct;
  land: () => void;
  goOn: () => void;
}

/** One tool of the model run: the world, what happens to the next call, and what was asked of it. */
export class ScriptedTool {
  readonly world: ToolWorld;
  fates: Fate[] = [];
  private stopped: StoppedCall | undefined;
  private onStopped: () => void = () => undefined;
  /** Told of every act in the moment in which it is sent. */
  onSent: (act: WantedAct) => void = () => undefined;
  /** The connector keeps to its contract: a create looks for its own mark first. */
  looksFirst = true;

  constructor(readonly key: string) {
    this.world = new ToolWorld(key, { uniqueNames: false, showsSessions: true, showsGrants: true });
  }

  async act(want: Omit<WantedAct, 'found'>): Promise<ActResult> {
    const sent: WantedAct = { ...want, found: this.looksFirst && this.world.has(want.mark) };
    this.onSent(sent);
    const fate = this.fates.shift() ?? 'fine';
    if (fate === 'fails') throw new ToolError('transient', 'The tool answered 503.');
    if (fate === 'pretends') return { outcome: 'done', value: null, sideEffects: [] };
    if (fate === 'stops') await this.stop(sent);
    const answer = this.world.carryOut(sent);
    if (fate === 'answer-lost') throw new ToolError('ambiguous', 'The tool did not answer in time.');
    if ('kind' in answer) throw new ToolError(answer.kind, answer.message);
    return answer;
  }

  takeStopped(): StoppedCall | undefined {
    const taken = this.stopped;
    this.stopped = undefined;
    return taken;
  }

  /** When the next call stops in the moment of sending. */
  untilStopped(): Promise<void> {
    return new Promise((resolve) => {
      this.onStopped = resolve;
    });
  }

  private stop(sent: WantedAct): Promise<void> {
    return new Promise((resolve) => {
      // A dead caller hears no answer: what lands then is only the call.
      this.stopped = { act: sent.act, land: () => void this.world.carryOut(sent), goOn: resolve };
      this.onStopped();
    });
  }
}

export function isGrant(act: StepAct): boolean {
  return EFFECT_OF[act] === 'grant';
}

/** A connector to the scripted tools, by the tool's key in its settings. */
export function scriptedConnector(toolOf: (key: string) => ScriptedTool): Connector<{ key: string }> {
  return {
    id: 'scripted',
    title: 'Scripted',
    kind: 'api',
    settings: z.object({ key: z.string() }),
    secrets: {},
    capabilities: {},
    async open({ settings }) {
      return openScripted(toolOf(settings.key));
    },
  };
}

function openScripted(tool: ScriptedTool): ToolSession {
  const nobody = { mark: '', username: '', email: '', grant: null };
  const act = (name: StepAct, ref: { externalId: string }, grant: WantedAct['grant'] = null) =>
    tool.act({ ...nobody, act: name, externalId: ref.externalId, grant });
  return {
    check: async () => ({ principal: 'quartermaster', version: null, missing: [] }),
    findAccounts: async (query) => tool.world.find(query),
    getAccount: async ({ externalId }) => tool.world.get(externalId),
    createAccount: async ({ mark, username, holder }) => {
      const want = { ...nobody, mark, username, email: holder.email };
      return (await tool.act({ ...want, act: 'create_account', externalId: null })) as ActResult<CreatedAccount>;
    },
    suspendAccount: (ref) => act('suspend_account', ref),
    restoreAccount: (ref) => act('restore_account', ref),
    resetCredentials: async (ref) =>
      (await act('reset_credentials', ref)) as ActResult<{ credentialVersion: string | null }>,
    grant: (ref, grant) => act('grant', ref, grant),
    withdraw: (ref, grant) => act('withdraw', ref, grant),
    close: async () => undefined,
  };
}
