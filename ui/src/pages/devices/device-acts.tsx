import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import type { Device } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChooseSite } from '../../parts/choose-site.js';
import { LabelButton } from '../../parts/label-button.js';
import { useMay } from '../../shell/caller.js';
import { GIVEN_FROM, HAND_MOVES, KEPT_FROM, type HandState } from '../../states/device-moves.js';
import { text } from '../../text/text.js';
import { changeDevice, moveDevice } from './change-device.js';
import { GiveDialog } from './give-dialog.js';
import { SignatureLink } from './signatures.js';
import { TolerateDialog } from './tolerate-dialog.js';

type Asked = 'assign' | 'reserve' | 'tolerate' | 'ask-back' | 'working';

/** Nobody works with it yet, or any more. */
const OUT_OF_USE: readonly Device['state'][] = ['ordered', 'retired', 'disposed'];

/** While it is asked for, its return decides whether it goes there. */
const DECIDED_BY_RETURN: readonly HandState[] = ['in_repair', 'retired'];

interface Props {
  device: Device;
  /** Unknown while its model is. */
  isStandard: boolean | undefined;
  /** Somebody was asked to give it back. */
  isAskedBack: boolean;
}

/** What may be done about a device as it stands; each says what will happen before it does. */
export function DeviceActs({ device, isStandard, isAskedBack }: Props): ReactNode {
  const may = useMay();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [move, setMove] = useState<HandState | null>(null);
  const [toSign, setToSign] = useState<string | null>(null);
  const { id, assetTag, state, holderId, working } = device;
  const mayWrite = may('devices:write');
  // Whom it is given to is looked for among the people.
  const mayGive = mayWrite && may('people:read') && working;
  const moves: readonly HandState[] = mayWrite ? HAND_MOVES[state] : [];
  const close = (): void => setAsked(null);
  const button = (what: Asked, word: string): ReactNode => (
    <Button variant="default" onClick={() => setAsked(what)}>
      {word}
    </Button>
  );
  return (
    <>
      {holderId !== null && may('lost-devices:report') && (
        <Link to="/lost-laptop" search={{ device: id }} className="act-link act-danger">
          {text.nav.lostLaptop}
        </Link>
      )}
      {mayGive && GIVEN_FROM.includes(state) && button('assign', text.give.assign.open)}
      {mayGive && KEPT_FROM.includes(state) && button('reserve', text.give.reserve.open)}
      {mayGive && isStandard === false && GIVEN_FROM.includes(state) && button('tolerate', text.give.tolerate.open)}
      {mayWrite && state === 'assigned' && !isAskedBack && button('ask-back', text.devices.askBack.open)}
      {moves
        .filter((to) => !isAskedBack || !DECIDED_BY_RETURN.includes(to))
        .map((to) => (
          <Button key={to} variant="default" onClick={() => setMove(to)}>
            {wordsOf(state, to).open}
          </Button>
        ))}
      {mayWrite && !OUT_OF_USE.includes(state) && button('working', text.devices.works[working ? 'no' : 'yes'].open)}
      <LabelButton path={`/v1/devices/${id}/label`} name={assetTag} />
      {(asked === 'assign' || asked === 'reserve') && (
        <GiveDialog
          device={device}
          how={asked}
          onDone={(signature) => {
            close();
            setToSign(signature);
          }}
          onClose={close}
        />
      )}
      {asked === 'tolerate' && <TolerateDialog device={device} onClose={close} />}
      {asked === 'ask-back' && <AskBack device={device} onClose={close} />}
      {asked === 'working' && <Working device={device} onClose={close} />}
      {toSign !== null && <SignatureLink id={toSign} onClose={() => setToSign(null)} />}
      {move !== null && <Move device={device} to={move} onClose={() => setMove(null)} />}
    </>
  );
}

/** The shelf is reached from many states, and is called by where it comes from. */
function wordsOf(from: Device['state'], to: HandState): { open: string; means: string } {
  const ontoShelf: Partial<Record<Device['state'], { open: string; means: string }>> = text.devices.ontoShelf;
  return (to === 'in_stock' ? ontoShelf[from] : undefined) ?? text.devices.move[to];
}

interface DialogProps {
  device: Device;
  onClose: () => void;
}

/** Nothing brings back what was retired or disposed of. */
const FOR_GOOD: readonly HandState[] = ['retired', 'disposed'];

function Move({ device, to, onClose }: DialogProps & { to: HandState }): ReactNode {
  const { assetTag, state } = device;
  const { open, means } = wordsOf(state, to);
  const verb = open.replace(/…$/, '');
  return (
    <ActDialog
      title={text.devices.actOn(verb, assetTag)}
      verb={verb}
      danger={FOR_GOOD.includes(to)}
      act={() => moveDevice(device, to)}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
    </ActDialog>
  );
}

function Working({ device, onClose }: DialogProps): ReactNode {
  const { open, means } = text.devices.works[device.working ? 'no' : 'yes'];
  const verb = open.replace(/…$/, '');
  return (
    <ActDialog
      title={text.devices.actOn(verb, device.assetTag)}
      verb={verb}
      act={() => changeDevice(device, { working: !device.working })}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
    </ActDialog>
  );
}

function AskBack({ device: { id, assetTag, siteId: own }, onClose }: DialogProps): ReactNode {
  const [siteId, setSiteId] = useState(own);
  return (
    <ActDialog
      title={text.devices.actOn(text.devices.askBack.verb, assetTag)}
      verb={text.devices.askBack.verb}
      act={() => answerOf(api.POST('/v1/returns', { body: { deviceId: id, siteId } }))}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{text.devices.askBack.means}</p>
      <ChooseSite label={text.returns.whereTo} value={siteId} none={text.returns.whereItBelongs} onChange={setSiteId} />
    </ActDialog>
  );
}
