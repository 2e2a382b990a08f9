from lava.magma.core.model.model import AbstractProcessModel


class AbstractCProcessModel(AbstractProcessModel):
    pass


class CLoihiProcessModel(AbstractCProcessModel):
    pass
