"""Messages, money, design, data and other services."""

from typing import Final

from halfdoor.reading.formats.format import Format
from halfdoor.reading.formats.made import A36, A62, DIGITS, HEX, UPPER, URL64, made, uuid

_IS: Final = r"""[\\"'\]]{0,4}\s{0,4}(?:=>|:=|[=:,>])\s{0,4}[\\"']{0,3}"""
_SLACK: Final = "api.slack.com/concepts/token-types"
_STRIPE: Final = "docs.stripe.com/keys"

SERVICES: Final = (
    Format(
        "slack-token",
        r"xox[abeoprs]-(?:[0-9]-)?[A-Za-z0-9-]{10,}",
        _SLACK,
        (
            "xoxb-" + made(DIGITS, 12) + "-" + made(DIGITS, 13) + "-" + made(A62, 24),
            "xoxp-" + made(DIGITS, 12) + "-" + made(DIGITS, 12) + "-" + made(HEX, 32),
            "xoxe-1-" + made(A62, 146),
        ),
        ("xoxb-short", "xoxb-your-token-goes-here", "foxoxb-" + made(DIGITS, 24)),
        floor=2.5,
    ),
    Format(
        "slack-config-token",
        r"xoxe\.xox[bp]-[0-9]-[A-Za-z0-9]{100,}",
        _SLACK,
        ("xoxe.xoxp-1-" + made(A62, 163),),
        ("xoxe.xoxp-1-" + made(A62, 12),),
    ),
    Format(
        "slack-app-token",
        "xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,}-[0-9a-f]{32,}",
        _SLACK,
        ("xapp-1-A" + made(UPPER, 10) + "-" + made(DIGITS, 13) + "-" + made(HEX, 64),),
        ("xapp-1-A" + made(UPPER, 10),),
    ),
    Format(
        "slack-webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,56}",
        "api.slack.com/messaging/webhooks",
        (
            "https://hooks.slack.com/services/T"
            + made(UPPER, 10)
            + "/B"
            + made(UPPER, 10)
            + "/"
            + made(A62, 24),
        ),
        ("https://hooks.slack.com/services/T000/B000/x",),
        floor=3.0,
    ),
    Format(
        "stripe-secret-key",
        "(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,}",
        _STRIPE,
        (
            "sk_" + "live_" + made(A62, 99),
            "rk_" + "live_" + made(A62, 24),
            "sk_" + "test_" + made(A62, 24),
        ),
        ("sk_" + "live_" + made(A62, 6), "pk_live_" + made(A62, 24)),
        floor=2.8,
    ),
    Format(
        "stripe-webhook-secret",
        "whsec_[A-Za-z0-9+/=]{24,}",
        "docs.stripe.com/webhooks/signature",
        ("whsec_" + made(A62, 32),),
        ("whsec_" + made(A62, 8),),
        floor=2.8,
    ),
    Format(
        "twilio-api-key",
        "SK[0-9a-f]{32}",
        "twilio.com/docs/iam/api-keys",
        ("SK" + made(HEX, 32),),
        ("SK" + made(HEX, 12), "ASK" + made(HEX, 32)),
    ),
    Format(
        "twilio-auth-token",
        "twilio[a-z_]{0,16}token" + _IS + "(?P<key>[0-9a-f]{32})",
        "twilio.com/docs/iam/api/authtoken",
        ("TWILIO_AUTH_TOKEN=" + made(HEX, 32),),
        ("TWILIO_ACCOUNT_SID=AC" + made(HEX, 32),),
        caseless=True,
    ),
    Format(
        "sendgrid-key",
        r"SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}",
        "twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        ("SG." + made(URL64, 22) + "." + made(URL64, 43),),
        ("SG." + made(URL64, 22), "SG.module.function"),
    ),
    Format(
        "mailgun-key",
        "(?:key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})",
        "documentation.mailgun.com/docs/mailgun/api-reference/mg-auth",
        ("key-" + made(HEX, 32), made(HEX, 32) + "-" + made(HEX, 8) + "-" + made(HEX, 8)),
        ("key-" + made(HEX, 12), made(HEX, 32)),
        floor=3.0,
    ),
    Format(
        "mailchimp-key",
        "[0-9a-f]{32}-us[0-9]{1,2}",
        "mailchimp.com/developer/marketing/guides/quick-start",
        (made(HEX, 32) + "-us12",),
        (made(HEX, 12) + "-us12",),
    ),
    Format(
        "brevo-key",
        "xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        "developers.brevo.com/docs/getting-started",
        ("xkeysib-" + made(HEX, 64) + "-" + made(A62, 16),),
        ("xkeysib-" + made(HEX, 12),),
    ),
    Format(
        "resend-key",
        "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        "resend.com/docs/dashboard/api-keys/introduction",
        ("re_" + made(A62, 8) + "_" + made(A62, 24),),
        ("re_" + made(A62, 8), "re_compiled_pattern"),
        floor=3.8,
    ),
    Format(
        "linear-key",
        "lin_(?:api|oauth)_[A-Za-z0-9]{40,}",
        "linear.app/developers/graphql",
        ("lin_api_" + made(A62, 40), "lin_oauth_" + made(HEX, 64)),
        ("lin_api_" + made(A62, 8),),
    ),
    Format(
        "notion-token",
        "(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})",
        "developers.notion.com/docs/authorization",
        ("ntn_" + made(A62, 46), "secret_" + made(A62, 43)),
        ("ntn_" + made(A62, 8), "secret_" + made(A62, 10)),
        floor=3.5,
    ),
    Format(
        "shopify-token",
        "shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",
        "shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
        ("shpat_" + made(HEX, 32), "shpss_" + made(HEX, 32)),
        ("shpat_" + made(HEX, 8),),
    ),
    Format(
        "square-token",
        "(?:EAAA[A-Za-z0-9_-]{60}|sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43})",
        "developer.squareup.com/docs/build-basics/access-tokens",
        ("EAAA" + made(URL64, 60), "sq0atp-" + made(URL64, 22), "sq0csp-" + made(URL64, 43)),
        ("EAAA" + made(URL64, 12), "sq0idp-" + made(URL64, 22)),
        floor=3.5,
    ),
    Format(
        "discord-bot-token",
        r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        "discord.com/developers/docs/reference#authentication",
        ("MT" + made(A62, 24) + "." + made(URL64, 6) + "." + made(URL64, 38),),
        ("MT" + made(A62, 24) + "." + made(URL64, 6), "Name.of.thing"),
        floor=4.0,
    ),
    Format(
        "discord-webhook",
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}",
        "discord.com/developers/docs/resources/webhook",
        ("https://discord.com/api/webhooks/" + made(DIGITS, 18) + "/" + made(URL64, 68),),
        ("https://discord.com/api/webhooks/1/x",),
    ),
    Format(
        "telegram-bot-token",
        "(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        "core.telegram.org/bots/api#authorizing-your-bot",
        (
            made(DIGITS, 10) + ":AA" + made(URL64, 33),
            "https://api.telegram.org/bot" + made(DIGITS, 10) + ":AA" + made(URL64, 33) + "/getMe",
        ),
        ("12345:AA" + made(URL64, 33), made(DIGITS, 10) + ":AA" + made(URL64, 8)),
    ),
    Format(
        "figma-token",
        "fig[dor]_[A-Za-z0-9_-]{40,}",
        "developers.figma.com/docs/rest-api/authentication",
        ("figd_" + made(URL64, 40),),
        ("figd_" + made(URL64, 8),),
        floor=3.0,
    ),
    Format(
        "airtable-token",
        r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        "airtable.com/developers/web/guides/personal-access-tokens",
        ("pat" + made(A62, 14) + "." + made(HEX, 64),),
        ("pat" + made(A62, 14), "patterns.of.use"),
    ),
    Format(
        "asana-token",
        "[12]/[0-9]{15,18}(?:/[0-9]{15,18})?:[0-9a-f]{32}",
        "developers.asana.com/docs/personal-access-token",
        (
            "2/" + made(DIGITS, 16) + "/" + made(DIGITS, 16) + ":" + made(HEX, 32),
            "1/" + made(DIGITS, 16) + ":" + made(HEX, 32),
        ),
        ("1/2/3:" + made(HEX, 32),),
    ),
    Format(
        "dropbox-token",
        r"sl\.(?:u\.)?[A-Za-z0-9_-]{120,}",
        "dropbox.com/developers/documentation/http/documentation#authorization",
        ("sl.u." + made(URL64, 300), "sl.B" + made(URL64, 135)),
        ("sl." + made(URL64, 12),),
    ),
    Format(
        "hubspot-token",
        "pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "developers.hubspot.com/docs/guides/apps/private-apps/overview",
        ("pat-na1-" + uuid(),),
        ("pat-na1-" + made(HEX, 8),),
    ),
    Format(
        "plaid-token",
        "access-(?:sandbox|production|development)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "plaid.com/docs/api/tokens",
        ("access-production-" + uuid(),),
        ("access-production-" + made(HEX, 8),),
    ),
    Format(
        "facebook-token",
        "EAA[A-Za-z0-9]{100,}",
        "developers.facebook.com/docs/facebook-login/guides/access-tokens",
        ("EAAG" + made(A62, 160),),
        ("EAAG" + made(A62, 20),),
        floor=4.0,
    ),
    Format(
        "braintree-token",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        "developer.paypal.com/braintree/docs/guides/authorization/access-token",
        ("access_token$production$" + made(A36, 16) + "$" + made(HEX, 32),),
        ("access_token$production$x",),
    ),
    Format(
        "contentful-token",
        "CFPAT-[A-Za-z0-9_-]{43}",
        "contentful.com/developers/docs/references/authentication",
        ("CFPAT-" + made(URL64, 43),),
        ("CFPAT-" + made(URL64, 8),),
    ),
    Format(
        "typeform-token",
        r"tfp_[A-Za-z0-9_=.-]{40,}",
        "typeform.com/developers/get-started/personal-access-token",
        ("tfp_" + made(A62, 59),),
        ("tfp_" + made(A62, 8),),
        floor=3.3,
    ),
    Format(
        "clickup-token",
        "pk_[0-9]{7,10}_[A-Z0-9]{32}",
        "developer.clickup.com/docs/authentication",
        ("pk_" + made(DIGITS, 8) + "_" + made(UPPER, 32),),
        ("pk_" + made(DIGITS, 8),),
    ),
    Format(
        "okta-token",
        r"SSWS\s+(?P<key>00[A-Za-z0-9_-]{40})",
        "developer.okta.com/docs/guides/create-an-api-token/main",
        ("Authorization: SSWS 00" + made(URL64, 40),),
        ("Authorization: SSWS ${api_token}",),
    ),
    Format(
        "mapbox-secret-token",
        r"sk\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{20,}",
        "docs.mapbox.com/api/accounts/tokens",
        ("sk.eyJ" + made(URL64, 80) + "." + made(URL64, 22),),
        ("pk.eyJ" + made(URL64, 80) + "." + made(URL64, 22),),
    ),
    Format(
        "zapier-webhook",
        "hooks[.]zapier[.]com/hooks/catch/[0-9]{5,9}/[a-z0-9]{6,9}",
        "help.zapier.com/hc/en-us/articles/8496288690317",
        ("https://hooks.zapier.com/hooks/catch/" + made(DIGITS, 7) + "/" + made(A36, 7),),
        ("https://hooks.zapier.com/hooks/catch/",),
    ),
)
