"""Small plots, as fixtures."""

import pytest
from cybervein_protocol.space import Plot, PlotClaim, PlotShape, make_plot, plot_seed

MINER = bytes(range(32))


@pytest.fixture(scope="session")
def shape() -> PlotShape:
    return PlotShape(6, 3)


@pytest.fixture(scope="session")
def plot(shape: PlotShape) -> Plot:
    """A plot made by the specification."""
    return make_plot(plot_seed(MINER, 5, shape.b, shape.k), shape)


@pytest.fixture(scope="session")
def claim(plot: Plot, shape: PlotShape) -> PlotClaim:
    return PlotClaim(index=5, b=shape.b, k=shape.k, kappa=plot.kappa, gamma=plot.gamma)
