import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { endlessModels } from '../../api/device-queries.js';
import type { DeviceModel } from '../../api/types.js';
import { SiteName } from '../../parts/choose-site.js';
import { Endless } from '../../parts/endless.js';
import { Page, Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { LeadTimes } from './lead-times.js';
import { ModelDialog } from './model-dialog.js';
import { Shelves } from './shelves.js';

/** Which kinds of hardware there are, what lies on the shelves of each, and how long a replacement takes. */
export function ModelsPage(): ReactNode {
  const mayWrite = useMay()('devices:write');
  const [isAdding, setAdding] = useState(false);
  return (
    <Page
      title={text.nav.models}
      sub={text.models.sub}
      acts={mayWrite && <Button onClick={() => setAdding(true)}>{text.models.add}</Button>}
    >
      <Shelves />
      <Catalogue mayWrite={mayWrite} />
      <LeadTimes />
      {isAdding && <ModelDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Catalogue({ mayWrite }: { mayWrite: boolean }): ReactNode {
  const query = useInfiniteQuery(endlessModels);
  const [changed, setChanged] = useState<DeviceModel | null>(null);
  const months = (count: number | null): string => (count === null ? text.models.notSaid : text.models.months(count));
  return (
    <Section title={text.models.catalogue}>
      <Endless query={query} none={text.models.none}>
        {(models) => (
          <Table
            rows={models}
            columns={[
              {
                name: text.devices.model,
                cell: ({ name, manufacturer }) => (
                  <>
                    {name} <span className="dim">{manufacturer}</span>
                  </>
                ),
              },
              {
                name: text.models.standardLabel,
                cell: ({ standard }) =>
                  standard ? text.models.isStandard : <Mark shape="○" tone="over" word={text.models.notStandard} />,
              },
              { name: text.models.lifetime, cell: ({ lifetimeMonths }) => months(lifetimeMonths) },
              { name: text.models.warranty, cell: ({ warrantyMonths }) => months(warrantyMonths) },
              {
                name: text.devices.replacement,
                cell: ({ replacementLeadDays: days }) =>
                  days === null ? text.devices.leadUnknown : text.devices.leadDays(days),
              },
              { name: text.models.minimums, cell: ({ minimums }) => <Minimums minimums={minimums} /> },
              ...(mayWrite
                ? [
                    {
                      name: text.models.acts,
                      cell: (model: DeviceModel) => (
                        <Button size="xs" variant="default" onClick={() => setChanged(model)}>
                          {text.models.change}
                        </Button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Endless>
      {changed && <ModelDialog model={changed} onClose={() => setChanged(null)} />}
    </Section>
  );
}

function Minimums({ minimums }: Pick<DeviceModel, 'minimums'>): ReactNode {
  if (minimums.length === 0) return <span className="dim">{text.models.notSaid}</span>;
  return (
    <ul className="plain-list">
      {minimums.map(({ siteId, minimum }) => (
        <li key={siteId}>
          {minimum} · <SiteName id={siteId} />
        </li>
      ))}
    </ul>
  );
}
