# The online service: answers sketches from an index that index_builder.Dockerfile's job has published.
# Build from the repository root: docker build -f docker/service.Dockerfile -t inkseek-service .

# A tag may move; a digest does not: README.md has the command that pins it.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# --- What the package needs: a layer of its own, rebuilt only when the requirements change ---------------------------
FROM ${PYTHON_IMAGE} AS dependencies
# The extra that carries onnxruntime and faiss: cpu, gpu12 (CUDA 12) or gpu (CUDA 13).
ARG RUNTIME=cpu
# Where vectors are searched: files, or milvus, which needs its client.
ARG STORE=files
# Where photos lie: files, or s3, which needs its client.
ARG SOURCES=files
# What becomes of spans: none are recorded, or otel, which needs OpenTelemetry's SDK.
ARG TRACES=none
# The constraints hold for the dependencies here and for what builds the package below.
ENV PIP_CONSTRAINT=/build/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/python
COPY docker/requirements.py docker/requirements-*.txt docker/constraints-*.txt pyproject.toml constraints.txt ./
# The cpu runtime installs what `make hashes` wrote, and nothing whose hash differs; a GPU runtime goes by its pins.
RUN if [ "${RUNTIME}" = cpu ]; \
    then cp requirements-service.txt requirements.txt && echo --require-hashes >> requirements.txt; \
    else python requirements.py pyproject.toml heif redis "${RUNTIME}" > requirements.txt; \
    fi \
    && pip --python /opt/python/bin/python install --no-cache-dir --only-binary=:all: -r requirements.txt \
    && if [ "${SOURCES}" = s3 ]; \
    then pip --python /opt/python/bin/python install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-s3.txt; \
    fi \
    && if [ "${STORE}" = milvus ]; \
    then pip --python /opt/python/bin/python install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-milvus.txt; \
    fi \
    && if [ "${TRACES}" = otel ]; \
    then pip --python /opt/python/bin/python install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-otel.txt; \
    fi \
    && find /opt/python -type d -name tests -prune -exec rm -r {} +

# --- The package itself, beside its dependencies and not among them: a new release ships a small layer ---------------
FROM dependencies AS application
COPY README.md LICENSE inkseek.py ./
COPY index_builder index_builder
COPY models models
COPY service service
# What builds the package is held by its hash, too, and stays in this stage.
RUN pip --python /opt/python/bin/python install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-build.txt \
    && pip --python /opt/python/bin/python install --no-cache-dir --no-build-isolation --no-deps --target /opt/inkseek .

# --- What runs: no build tools, no torch -----------------------------------------------------------------------------
FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Inkseek service" \
      org.opencontainers.image.description="Draw what you have in mind, get the photo of it" \
      org.opencontainers.image.licenses="Apache-2.0"
# A new named volume takes the owner of the folder that it covers.
RUN install -d -o 10001 -g 10001 /data/index /data/online
COPY --from=dependencies /opt/python /opt/python
COPY docker/healthcheck.py /opt/healthcheck.py
COPY --from=application /opt/inkseek /opt/inkseek
# HOME: the user has no entry in /etc/passwd. PASSIVE: OpenMP threads that wait must not spin through the CPU quota.
ENV PATH=/opt/inkseek/bin:/opt/python/bin:${PATH} \
    PYTHONPATH=/opt/inkseek \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_WAIT_POLICY=PASSIVE \
    HOME=/tmp \
    INKSEEK_INDEX=/data/index \
    INKSEEK_ONLINE_DIR=/data/online \
    INKSEEK_HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "/opt/healthcheck.py"]
ENTRYPOINT ["inkseek"]
CMD ["serve"]
