import type { StepAct } from '../../src/cases/step-states.js';
import { isUsable } from '../model/tool-world.js';
import type { SimCases } from './sim-cases.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { SimAccount, SimStep } from './tables.js';

/** The people around: who decides about steps, who holds them back, and who changes things at the tools by hand. */
export class SimHumans {
  private readonly asked = new Set<SimStep>();

  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
  ) {}

  /** Somebody is told of each step that needs a person, and comes to it in their own time; or never. */
  notice(): void {
    for (const { steps } of this.world.tools) {
      for (const step of steps) {
        if (step.state !== 'needs_human' || this.asked.has(step)) continue;
        this.asked.add(step);
        if (this.world.random.chance(0.08)) continue;
        this.world.time.after(this.world.random.int(200, 40_000), () => this.decide(step));
      }
    }
  }

  /** StepDecisions: complete, waive or retry. */
  private decide(step: SimStep): void {
    const { world } = this;
    if (step.state !== 'needs_human') return;
    this.asked.delete(step);
    const choice = world.random.next();
    if (choice < 0.15) return this.waive(step);
    if (choice < 0.45 || step.tool.kind === 'human') return this.complete(step);
    world.trace(() => `somebody retries ${nameOf(step)}`);
    world.move(step, 'ready', 'people');
    step.dueAt = world.now;
    step.approved = true;
    [step.failures, step.readBacks, step.crashes, step.loneCrashes] = [0, 0, 0, 0];
    step.humanOwner = null;
    step.inProgress = false;
  }

  private waive(step: SimStep): void {
    this.world.trace(() => `somebody waives ${nameOf(step)}`);
    this.world.move(step, 'waived', 'people');
    this.cases.end(step);
  }

  private complete(step: SimStep): void {
    const { world } = this;
    world.trace(() => `somebody says they did ${nameOf(step)}`);
    if (world.random.chance(0.9) || step.tool.kind === 'human') this.byHand(step);
    step.approved = true;
    if (step.tool.kind === 'api') {
      world.move(step, 'confirming', 'people');
      step.dueAt = world.now;
      step.failures = 0;
      return;
    }
    world.move(step, 'done', 'people');
    const { account } = step;
    if (account && (step.act !== 'withdraw' || account.externalId !== null)) {
      const state = stateAfter(step.act, account.observed);
      // AttestedWork: believed on their word.
      [account.externalId, account.observed, account.observedAt] = [
        account.externalId ?? account.username,
        state,
        world.now,
      ];
    }
    this.cases.end(step);
  }

  /** What an honest person does at the tool before they say that they did it. */
  private byHand({ act, account, grant, tool, case: { person } }: SimStep): void {
    if (!account) return;
    // Asked to restore what isn't there, a sensible person makes it.
    const found = tool.world.has(account.mark ?? '');
    const want = { mark: account.mark ?? '', username: account.username, email: person.email, grant, found };
    if (act === 'restore_account' || act === 'grant') {
      tool.world.carryOut({ ...want, act: 'create_account', externalId: null });
    }
    const own = tool.world.accounts.find(({ mark }) => mark === account.mark && mark !== null);
    const externalId = own?.externalId ?? account.externalId;
    tool.world.carryOut({ ...want, act, externalId });
  }

  /** The brake, which binds grants only. Nothing in the engine holds steps yet; the table knows it. */
  brake(): void {
    const { world } = this;
    const free = world.tools
      .flatMap((tool) => tool.steps)
      .filter(({ effect, state }) => effect === 'grant' && (state === 'planned' || state === 'ready'));
    if (free.length === 0) return;
    const step = world.random.pick(free);
    if (step.state === 'planned' && world.random.chance(0.2)) return this.waive(step);
    world.move(step, 'held', 'people');
    world.time.after(world.random.int(100, 10_000), () => this.release(step));
  }

  private release(step: SimStep): void {
    const { world } = this;
    if (step.state !== 'held') return;
    const choice = world.random.next();
    if (choice < 0.1) return this.waive(step);
    const isFree = world.rules.afterNeeds(step.effect, step.needs) === 'go';
    world.move(step, isFree ? 'ready' : 'planned', 'people');
    step.dueAt = world.now;
    // What it needs may have ended meanwhile, and no later end would free it.
    if (!isFree && world.rules.afterNeeds(step.effect, step.needs) === 'ask') this.cases.giveToHuman(step);
  }

  /** Somebody at a tool: lets a suspended account work again, or signs in to one that does. */
  meddle(): void {
    const { world } = this;
    const { world: tool } = world.random.pick(world.tools);
    if (tool.accounts.length === 0) return;
    const account = world.random.pick(tool.accounts);
    if (account.active) {
      account.sessions += 1;
      return;
    }
    if (isUsable(account) || account.mark === null || world.random.chance(0.5)) return;
    world.trace(() => `somebody at ${tool.name} makes ${account.externalId} active again`);
    account.active = true;
    account.outsiderAt = world.now;
  }
}

function stateAfter(act: StepAct, before: SimAccount['observed']): 'active' | 'suspended' {
  if (act === 'suspend_account') return 'suspended';
  if (act === 'create_account' || act === 'restore_account') return 'active';
  return before === 'suspended' ? 'suspended' : 'active';
}
