"""Which table leans on which: the order in which rows can go, leaves first. Pure.

Edges are the live foreign keys and, when a map is given, its links: rows that are found through another
table's columns have to go before those columns do, whether or not the database enforces it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from privacy_ops.datamap.catalogue import Catalogue, ForeignKey
from privacy_ops.datamap.model import DataMap


@dataclass(frozen=True)
class Graph:
    """Edges from child to parent. A link of the map that no foreign key backs has an empty ``name``."""

    edges: tuple[ForeignKey, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, data_map: DataMap | None = None) -> Graph:
        """Foreign keys of ``catalogue``, and the links of ``data_map`` that none of them backs."""
        keys = catalogue.foreign_keys
        backed = {pairs(key) for key in keys}
        links = {pairs(edge): edge for edge in (link_edges(data_map) if data_map else ())}
        return cls((*keys, *(edge for what, edge in links.items() if what not in backed)))

    def children_of(self, table: str) -> tuple[ForeignKey, ...]:
        """Edges that point at ``table``, self references among them."""
        return tuple(edge for edge in self.edges if edge.to == table)

    def parents_of(self, table: str) -> tuple[ForeignKey, ...]:
        """Edges that leave ``table``, self references among them."""
        return tuple(edge for edge in self.edges if edge.table == table)

    def descendants_of(self, table: str) -> frozenset[str]:
        """Every table that leans on ``table`` through any number of edges, without ``table`` itself."""
        below = _adjacency(self.edges, {e.table for e in self.edges} | {e.to for e in self.edges}, down=True)
        seen: set[str] = set()
        waiting = [table]
        while waiting:
            for child in below.get(waiting.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        return frozenset(seen - {table})

    def deletion_order(self, tables: Iterable[str]) -> list[list[str]]:
        """``tables`` in components, children before parents; alphabetical where the keys leave a choice.

        A component of several tables is a circle of references: empty a nullable key first, or delete the
        tables in one statement. A single table may still refer to itself (``refers_to_itself``).
        """
        wanted = set(tables)
        up = _adjacency(self.edges, wanted, down=False)
        components = _components(wanted, up, _adjacency(self.edges, wanted, down=True))
        home = {table: number for number, component in enumerate(components) for table in component}
        parents = {
            number: {home[parent] for table in component for parent in up[table]} - {number}
            for number, component in enumerate(components)
        }
        children_left = dict.fromkeys(range(len(components)), 0)
        for above in parents.values():
            for number in above:
                children_left[number] += 1
        ready = [(components[number], number) for number, left in children_left.items() if left == 0]
        heapq.heapify(ready)
        order: list[list[str]] = []
        while ready:
            component, number = heapq.heappop(ready)
            order.append(component)
            for parent in parents[number]:
                children_left[parent] -= 1
                if children_left[parent] == 0:
                    heapq.heappush(ready, (components[parent], parent))
        return order

    def refers_to_itself(self, table: str) -> tuple[ForeignKey, ...]:
        """Edges from ``table`` to itself (a reply to a comment)."""
        return tuple(edge for edge in self.edges if edge.table == edge.to == table)


def link_edges(data_map: DataMap) -> list[ForeignKey]:
    """The links of ``data_map`` in the form of foreign keys without a name."""
    return [
        ForeignKey("", name, link.columns, link.to, data_map.references_of(link))
        for name, table in data_map.tables.items()
        for link in table.links()
    ]


def pairs(edge: ForeignKey) -> tuple[str, str, frozenset[tuple[str, str]]]:
    """What an edge says, whatever its name and the order of its columns."""
    return edge.table, edge.to, frozenset(zip(edge.columns, edge.references, strict=True))


def _adjacency(edges: Iterable[ForeignKey], wanted: set[str], *, down: bool) -> Mapping[str, list[str]]:
    near: dict[str, set[str]] = {table: set() for table in wanted}
    for edge in edges:
        if edge.table in wanted and edge.to in wanted:
            start, end = (edge.to, edge.table) if down else (edge.table, edge.to)
            near[start].add(end)
    return {table: sorted(others) for table, others in near.items()}


def _components(tables: set[str], up: Mapping[str, list[str]], down: Mapping[str, list[str]]) -> list[list[str]]:
    """Strongly connected components, each sorted (Kosaraju, without recursion)."""
    finished: list[str] = []
    seen: set[str] = set()
    for root in sorted(tables):
        stack = [(root, iter(up[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            table, parents = stack[-1]
            step = next((parent for parent in parents if parent not in seen), None)
            if step is None:
                finished.append(table)
                stack.pop()
            else:
                seen.add(step)
                stack.append((step, iter(up[step])))
    components: list[list[str]] = []
    placed: set[str] = set()
    for root in reversed(finished):
        if root in placed:
            continue
        component, waiting = [], [root]
        placed.add(root)
        while waiting:
            table = waiting.pop()
            component.append(table)
            for child in down[table]:
                if child not in placed:
                    placed.add(child)
                    waiting.append(child)
        components.append(sorted(component))
    return components
