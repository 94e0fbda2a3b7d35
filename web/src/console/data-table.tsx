import type { ComponentChildren } from 'preact'

interface DataTableProps {
  /** Heads of the columns; `Actions` is for those only who do not see the buttons below it. */
  readonly columns: readonly string[]
  /** Rows. */
  readonly children: ComponentChildren
}

/** A table on a card; on a phone each row is a card, where `data-label` of a cell stands for its column's head. */
export function DataTable({ columns, children }: DataTableProps) {
  return (
    <div class="card">
      <table>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name === 'Actions' ? <span class="visually-hidden">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
