# syntax=docker/dockerfile:1
# Two stages: the first installs the locked packages and builds the wheel, the second holds only what runs.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --quiet uv==0.13.9 && python -m venv --without-pip /opt/morningpost
WORKDIR /source
COPY requirements.lock ./
RUN uv pip install --no-cache --system-certs --python /opt/morningpost/bin/python --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY emails ./emails
COPY migrations ./migrations
RUN /opt/morningpost/bin/python -m hatchling build -t wheel \
 && uv pip install --no-cache --python /opt/morningpost/bin/python --no-deps dist/*.whl \
 && uv pip uninstall --python /opt/morningpost/bin/python hatchling editables

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/morningpost --create-home --shell /usr/sbin/nologin morningpost
COPY --from=build /opt/morningpost /opt/morningpost
ENV PATH=/opt/morningpost/bin:$PATH PYTHONUNBUFFERED=1 \
    MORNINGPOST_HOST=0.0.0.0 MORNINGPOST_PORT=8000 MORNINGPOST_LOG_FORMAT=json
USER morningpost
# var/ lies in here: the SQLite file, the outbox and, in development, the secret.
WORKDIR /var/lib/morningpost
VOLUME /var/lib/morningpost
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['MORNINGPOST_PORT'] + '/healthz', timeout=4)"]
CMD ["morningpost", "serve"]
