/* Which wiregrade this is. */
#pragma once

#define WIREGRADE_VERSION "0.1.0"
