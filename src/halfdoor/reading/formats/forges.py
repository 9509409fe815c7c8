"""Code hosting, packages, builds and observation."""

from typing import Final

from halfdoor.reading.formats.format import Format
from halfdoor.reading.formats.made import A36, A62, A64, HEX, U36, URL64, made, uuid

_IS: Final = r"""[\\"'\]]{0,4}\s{0,4}(?:=>|:=|[=:,>])\s{0,4}[\\"']{0,3}"""
_GITHUB: Final = (
    "docs.github.com/en/authentication/keeping-your-account-and-data-secure/"
    "about-authentication-to-github#githubs-token-formats"
)
_GITLAB: Final = "docs.gitlab.com/security/tokens/#token-prefixes"


def _github(kind: str, prefix: str) -> Format:
    return Format(
        f"github-{kind}-token",
        prefix + "_[A-Za-z0-9]{36,}",
        _GITHUB,
        (prefix + "_" + made(A62, 36),),
        (prefix + "_" + made(A62, 20), prefix + "_" + "x" * 36, "a" + prefix + "_" + made(A62, 36)),
        check="github",
    )


FORGES: Final = (
    _github("personal", "ghp"),
    _github("oauth", "gho"),
    _github("user", "ghu"),
    _github("server", "ghs"),
    _github("refresh", "ghr"),
    Format(
        "github-server-jwt",
        r"ghs_[A-Za-z0-9]{1,20}_eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
        _GITHUB,
        ("ghs_12345_eyJ" + ".".join((made(URL64, 40), made(URL64, 60), made(URL64, 86))),),
        ("ghs_12345_eyJ" + made(URL64, 40),),
    ),
    Format(
        "github-fine-grained-token",
        "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        _GITHUB,
        ("github_pat_" + made(A62, 22) + "_" + made(A62, 59),),
        ("github_pat_" + made(A62, 22),),
    ),
    Format(
        "gitlab-personal-token",
        r"glpat-[A-Za-z0-9_.-]{20,}",
        _GITLAB,
        ("glpat-" + made(URL64, 20), "glpat-" + made(URL64, 42) + ".01." + made(A36, 9)),
        ("glpat-" + made(URL64, 8), "glpat-" + "x" * 20),
        floor=2.8,
    ),
    Format(
        "gitlab-token",
        r"gl(?:dt|rt|rtr|ptt|ft|agent|cbt|imt|oas|soat|ffct|wt)-[A-Za-z0-9_.-]{20,}",
        _GITLAB,
        ("gldt-" + made(URL64, 20), "glrt-" + made(URL64, 20), "glptt-" + made(HEX, 40)),
        ("gldt-" + made(URL64, 8), "glft-" + "x" * 20),
        floor=2.8,
    ),
    Format(
        "gitlab-runner-registration",
        "GR1348941[A-Za-z0-9_-]{20}",
        _GITLAB,
        ("GR1348941" + made(URL64, 20),),
        ("GR1348941" + made(URL64, 6),),
    ),
    Format(
        "bitbucket-token",
        "(?:ATBB|ATCTT3)[A-Za-z0-9_=-]{28,}",
        "support.atlassian.com/bitbucket-cloud/docs/using-app-passwords",
        ("ATBB" + made(A62, 32), "ATCTT3x" + made(URL64, 180)),
        ("ATBB" + made(A62, 12),),
        floor=3.0,
    ),
    Format(
        "atlassian-api-token",
        r"ATATT3[A-Za-z0-9_=.-]{80,}",
        "support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account",
        ("ATATT3xFfGF0" + made(URL64, 170) + "=" + made(HEX, 8).upper(),),
        ("ATATT3" + made(A62, 12),),
    ),
    Format(
        "npm-token",
        "npm_[A-Za-z0-9]{36}",
        "docs.npmjs.com/about-access-tokens",
        ("npm_" + made(A62, 36),),
        ("npm_" + made(A62, 12), "npm_config_registry"),
        check="github",
        confidence=0.95,
    ),
    Format(
        "npm-auth",
        r":_(?:authToken|auth|password)\s{0,3}=\s{0,3}\\?[\"']?(?P<key>[A-Za-z0-9+/=_-]{16,})",
        "docs.npmjs.com/cli/configuring-npm/npmrc",
        ("//registry.example/:_authToken=" + made(URL64, 36),),
        ("//registry.example/:_authToken=${NPM_TOKEN}",),
        floor=3.0,
    ),
    Format(
        "pypi-token",
        "pypi-AgE[A-Za-z0-9_-]{50,}",
        "pypi.org/help/#apitoken",
        (
            "pypi-AgEIcHlwaS5vcmc" + made(URL64, 140),
            "pypi-AgENdGVzdC5weXBpLm9yZw" + made(URL64, 140),
        ),
        ("pypi-AgE" + made(URL64, 8), "pypi-simple"),
    ),
    Format(
        "rubygems-key",
        "rubygems_[0-9a-f]{48}",
        "guides.rubygems.org/api-key-scopes",
        ("rubygems_" + made(HEX, 48),),
        ("rubygems_" + made(HEX, 12),),
    ),
    Format(
        "crates-token",
        "cio[A-Za-z0-9]{32}(?:[^A-Za-z0-9]|$)",
        "doc.rust-lang.org/cargo/reference/registry-authentication.html",
        ("cio" + made(A62, 32),),
        ("cio" + made(A62, 12), "cio" + made(A62, 60)),
        floor=3.8,
        confidence=0.9,
    ),
    Format(
        "nuget-key",
        "oy2[a-z0-9]{43}(?:[^A-Za-z0-9]|$)",
        "learn.microsoft.com/nuget/nuget-org/scoped-api-keys",
        ("oy2" + made(A36, 43),),
        ("oy2" + made(A36, 12),),
        floor=3.5,
    ),
    Format(
        "clojars-token",
        "CLOJARS_[a-z0-9]{60}",
        "github.com/clojars/clojars-web/wiki/Deploy-Tokens",
        ("CLOJARS_" + made(A36, 60),),
        ("CLOJARS_USERNAME",),
    ),
    Format(
        "docker-token",
        "dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}",
        "docs.docker.com/security/for-developers/access-tokens",
        ("dckr_pat_" + made(URL64, 27), "dckr_oat_" + made(URL64, 32)),
        ("dckr_pat_" + made(URL64, 8),),
    ),
    Format(
        "jfrog-token",
        "(?:AKCp[0-9A-Za-z]{60,}|cmVmdGtu[A-Za-z0-9]{50,})",
        "jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens",
        ("AKCp" + made(A62, 69), "cmVmdGtu" + made(A62, 56)),
        ("AKCp" + made(A62, 10),),
    ),
    Format(
        "circleci-token",
        "CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,24}_[0-9a-f]{40}",
        "circleci.com/docs/managing-api-tokens",
        ("CCIPAT_" + made(A62, 22) + "_" + made(HEX, 40),),
        ("CCIPAT_" + made(A62, 8),),
    ),
    Format(
        "buildkite-token",
        "bk(?:ua|aj|ct|pi|at|aa|gt)_[0-9a-f]{40,}",
        "buildkite.com/docs/apis/managing-api-tokens",
        ("bkua_" + made(HEX, 40),),
        ("bkua_" + made(HEX, 8),),
    ),
    Format(
        "sonarqube-token",
        "sq[upa]_[0-9a-f]{40}",
        "docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens",
        ("squ_" + made(HEX, 40), "sqp_" + made(HEX, 40)),
        ("squ_" + made(HEX, 10),),
    ),
    Format(
        "sourcegraph-token",
        "sgp_(?:[0-9a-fA-F]{16}_|local_)?[0-9a-f]{40}",
        "sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
        ("sgp_" + made(HEX, 16) + "_" + made(HEX, 40), "sgp_local_" + made(HEX, 40)),
        ("sgp_" + made(HEX, 10),),
    ),
    Format(
        "postman-key",
        "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        "learning.postman.com/docs/developer/postman-api/authentication",
        ("PMAK-" + made(HEX, 24) + "-" + made(HEX, 34),),
        ("PMAK-" + made(HEX, 24),),
    ),
    Format(
        "launchdarkly-key",
        "(?:api|sdk)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "launchdarkly.com/docs/home/account/api",
        ("api-" + uuid(), "sdk-" + uuid()),
        ("mob-" + uuid(), "job-" + uuid()),
        confidence=0.8,
    ),
    Format(
        "sentry-token",
        "(?:sntrys_eyJ[A-Za-z0-9+/=_-]{80,}|sntryu_[0-9a-f]{64})",
        "docs.sentry.io/account/auth-tokens",
        ("sntrys_eyJ" + made(A64, 180), "sntryu_" + made(HEX, 64)),
        ("sntryu_" + made(HEX, 8),),
    ),
    Format(
        "grafana-service-account",
        "glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}",
        "grafana.com/docs/grafana/latest/administration/service-accounts",
        ("glsa_" + made(A62, 32) + "_" + made(HEX, 8),),
        ("glsa_" + made(A62, 32),),
    ),
    Format(
        "grafana-cloud-token",
        "glc_[A-Za-z0-9+/]{32,}",
        "grafana.com/docs/grafana-cloud/security-and-account-management"
        "/authentication-and-permissions/access-policies",
        ("glc_" + made(A64, 120),),
        ("glc_" + made(A62, 8),),
    ),
    Format(
        "newrelic-key",
        "(?:NRAK-[A-Z0-9]{27}|NRI[IQ]-[A-Za-z0-9_-]{32}|[0-9a-f]{36}NRAL)",
        "docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys",
        ("NRAK-" + made(U36, 27), "NRII-" + made(URL64, 32), made(HEX, 36) + "NRAL"),
        ("NRAK-" + made(U36, 8),),
    ),
    Format(
        "datadog-key",
        "(?:dd|datadog)_?(?:api|app|application)_?key" + _IS + "(?P<key>[0-9a-f]{32,40})",
        "docs.datadoghq.com/account_management/api-app-keys",
        ("DD_API_KEY=" + made(HEX, 32), 'datadog_app_key: "' + made(HEX, 40) + '"'),
        ("DD_API_KEY=" + made(HEX, 12),),
        caseless=True,
    ),
    Format(
        "honeycomb-key",
        "hc[abi][im]k_[a-z0-9]{58}",
        "docs.honeycomb.io/configure/environments/manage-api-keys",
        ("hcaik_" + made(A36, 58),),
        ("hcaik_" + made(A36, 10),),
    ),
    Format(
        "dynatrace-token",
        r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
        "docs.dynatrace.com/docs/dynatrace-api/basics/dynatrace-api-authentication",
        ("dt0c01." + made(U36, 24) + "." + made(U36, 64),),
        ("dt0c01." + made(U36, 24),),
    ),
)
