import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sitesQuery } from '../../api/device-queries.js';
import type { Device } from '../../api/types.js';
import { BulkDialog } from '../../bulk/bulk-dialog.js';
import { SelectionBar } from '../../bulk/selection-bar.js';
import { useSelection, type RowSelection } from '../../bulk/use-selection.js';
import { Choice } from '../../parts/choice.js';
import { Holder } from '../../parts/holder.js';
import { Table } from '../../parts/table.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { BULK_STATES, previewMove, previewSite, type BulkState } from './bulk-moves.js';
import { changeDevice, moveDevice } from './change-device.js';

interface Props {
  devices: readonly Device[];
  modelNames: Readonly<Record<string, string>>;
}

const nameOf = ({ assetTag }: Device): string => assetTag;

/** The inventory; whoever may change it can choose several and do one thing with all of them. */
export function DeviceRows({ devices, modelNames }: Props): ReactNode {
  const may = useMay();
  const selection = useSelection(devices);
  const mayWrite = may('devices:write');
  return (
    <>
      {mayWrite && (
        <SelectionBar selection={selection} count={devices.length}>
          <BulkActs selection={selection} />
        </SelectionBar>
      )}
      <Table
        rows={devices}
        choosing={mayWrite ? { selection, nameOf } : undefined}
        columns={[
          {
            name: text.devices.assetTag,
            cell: ({ id, assetTag }) => (
              <Link to="/devices/$deviceId" params={{ deviceId: id }}>
                {assetTag}
              </Link>
            ),
          },
          { name: text.devices.model, cell: ({ modelId }) => modelNames[modelId] ?? '' },
          { name: text.devices.holder, cell: ({ holderId }) => <Holder id={holderId} /> },
          { name: text.devices.stateLabel, cell: ({ state }) => text.devices.state[state] },
          { name: text.devices.since, cell: ({ stateChangedAt }) => <Instant at={stateChangedAt} /> },
        ]}
      />
    </>
  );
}

/** Only what at least one of them can do. */
function BulkActs({ selection }: { selection: RowSelection<Device> }): ReactNode {
  const mayReadSites = useMay()('people:read');
  const [asked, setAsked] = useState<BulkState | 'site' | null>(null);
  const close = (): void => setAsked(null);
  const offered = BULK_STATES.filter((to) => selection.chosen.some((device) => 'will' in previewMove(device, to)));
  return (
    <>
      {mayReadSites && (
        <Button size="xs" variant="default" onClick={() => setAsked('site')}>
          {text.devices.bulk.moveOpen}
        </Button>
      )}
      {offered.map((to) => (
        <Button key={to} size="xs" variant="default" onClick={() => setAsked(to)}>
          {text.devices.bulk.open[to]}
        </Button>
      ))}
      {asked === 'site' && <MoveToSite selection={selection} onClose={close} />}
      {asked !== null && asked !== 'site' && <MoveTo to={asked} selection={selection} onClose={close} />}
    </>
  );
}

interface DialogProps {
  selection: RowSelection<Device>;
  onClose: () => void;
}

function MoveTo({ to, selection, onClose }: DialogProps & { to: BulkState }): ReactNode {
  return (
    <BulkDialog
      selection={selection}
      nameOf={nameOf}
      verb={(count) => text.devices.bulk.verb[to](count)}
      means={text.devices.bulk.means[to]}
      danger={to === 'retired' || to === 'disposed'}
      preview={(device) => previewMove(device, to)}
      act={async (device, _sentence, key) => {
        const { state } = await moveDevice(device, to, key);
        return { standing: 'done', said: text.devices.state[state], caseId: null };
      }}
      onClose={onClose}
    />
  );
}

function MoveToSite({ selection, onClose }: DialogProps): ReactNode {
  const { data: sites } = useQuery(sitesQuery);
  const [siteId, setSiteId] = useState<string>();
  const names = Object.fromEntries((sites?.items ?? []).map(({ id, name }) => [id, name]));
  const siteName = (id: string | null): string =>
    id === null ? text.devices.bulk.noSite : (names[id] ?? text.sites.some);
  return (
    <BulkDialog
      selection={selection}
      nameOf={nameOf}
      verb={(count) => text.devices.bulk.moveVerb(count, siteId === undefined ? null : siteName(siteId))}
      means={text.devices.bulk.moveMeans}
      isIncomplete={siteId === undefined}
      preview={(device) => previewSite(device, siteId, siteName)}
      act={async (device) => {
        const changed = await changeDevice(device, { siteId: siteId ?? null });
        return { standing: 'done', said: text.devices.bulk.isAt(siteName(changed.siteId)), caseId: null };
      }}
      onClose={onClose}
    >
      <Choice
        label={text.devices.bulk.moveWhere}
        value={siteId}
        values={Object.keys(names)}
        words={names}
        none={text.sites.choose}
        onChange={setSiteId}
      />
    </BulkDialog>
  );
}
