from lava.magma.core.model.model import AbstractProcessModel


class AbstractNcProcessModel(AbstractProcessModel):
    pass
