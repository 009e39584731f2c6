import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { accountsQuery, connectorsQuery, toolsQuery } from '../../api/queries.js';
import type { LossPreview } from '../../api/types.js';
import { useMay } from '../../shell/caller.js';
import { willCut } from '../../states/look-at-loss.js';
import { text } from '../../text/text.js';

export type LossScope = LossPreview['proposedScope'];
type WouldBeCut = LossPreview['person'];

interface Props {
  preview: LossPreview;
  /** Of who has the device. */
  name: string;
  scope: LossScope;
  /** Without it there is nothing to choose. */
  onChoose: ((scope: LossScope) => void) | undefined;
}

/** What a report would cut in either scope, and what can't be proved, before it happens. */
export function LossExtent({ preview, name, scope, onChoose }: Props): ReactNode {
  const words = { person: text.lostLaptop.everything(name), device: text.lostLaptop.thisLaptop };
  const scopes = onChoose ? (['person', 'device'] as const) : (['person'] as const);
  return (
    <fieldset className="scopes">
      <legend>{text.lostLaptop.scope}</legend>
      {scopes.map((one) => (
        <label key={one} className={one === scope ? 'scope scope-chosen' : 'scope'}>
          <input type="radio" name="scope" checked={one === scope} onChange={() => onChoose?.(one)} />
          <span className="stack-small">
            <span>
              <strong>{words[one]}</strong>
              {one === preview.proposedScope && <span className="dim"> · {text.lostLaptop.proposed}</span>}
            </span>
            {one === preview.proposedScope && <span className="dim small">{preview.because}</span>}
            {one === 'person' ? <OfPerson preview={preview} /> : <OfDevice plan={preview.device} />}
          </span>
        </label>
      ))}
      <details className="more">
        <summary>{text.lostLaptop.plan}</summary>
        <ul className="plain-list">
          {preview[scope].map(({ tool, username, act }) => (
            <li key={`${act} ${tool} ${username ?? ''}`}>
              {text.cases.act[act]} {text.cases.at(tool)}
              {username !== null && <span className="dim"> · {username}</span>}
            </li>
          ))}
        </ul>
      </details>
      {scope === 'person' && <p className="dim small">{text.lostLaptop.andMore}</p>}
    </fieldset>
  );
}

function OfPerson({ preview: { person, personId } }: { preview: LossPreview }): ReactNode {
  const may = useMay();
  const accounts = useQuery({ ...accountsQuery({ personId, limit: 200 }), enabled: may('accounts:read') });
  const tools = useQuery({ ...toolsQuery, enabled: may('tools:read') });
  const connectors = useQuery({ ...connectorsQuery, enabled: may('tools:read') });
  const known = willCut(accounts.data?.items ?? [], tools.data?.items ?? [], connectors.data?.items ?? []);
  const { sessions, byHand, paused, sessionsUnknown } = known;
  return (
    <>
      <span>{text.lostLaptop.willCut(count(person, 'suspend_account'), sessions)}</span>
      {byHand.length > 0 && <span>▲ {text.lostLaptop.byHand(byHand)}</span>}
      {paused.length > 0 && <span>‖ {text.lostLaptop.paused(paused)}</span>}
      {sessionsUnknown > 0 && <span>○ {text.lostLaptop.sessionsUnknown(sessionsUnknown)}</span>}
    </>
  );
}

function OfDevice({ plan }: { plan: WouldBeCut }): ReactNode {
  const [resets, putOut] = [count(plan, 'reset_credentials'), count(plan, 'revoke_device')];
  return (
    <>
      {putOut > 0 && <span>{text.lostLaptop.willPutOut(putOut)}</span>}
      {resets > 0 && <span>{text.lostLaptop.willReset(resets)}</span>}
      {putOut + resets === 0 && <span>{text.lostLaptop.nothingOfThis}</span>}
    </>
  );
}

function count(plan: WouldBeCut, act: WouldBeCut[number]['act']): number {
  return plan.filter((one) => one.act === act).length;
}
